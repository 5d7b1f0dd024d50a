/** The payer's page. One column on a phone; from 800 px what to pay stands beside where to pay it. */
export const layoutCss = `
.page{max-width:480px;min-height:100vh;margin:0 auto;padding:16px;display:flex;flex-direction:column;gap:16px}
.top{display:flex;align-items:center;gap:12px;min-height:48px}
.name{flex:1;min-width:0;font-weight:600;overflow-wrap:anywhere;display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical;overflow:hidden}
.logo{width:40px;height:40px;border-radius:8px;object-fit:contain}
.language{flex:none;padding:12px 0;font-size:14px;line-height:20px;color:var(--quiet);text-decoration:none}
.language:hover{text-decoration:underline}
.banner{padding:8px 16px;border:1px dashed var(--amber-line);border-radius:8px;background:var(--amber-ground);color:var(--amber);font-size:14px;line-height:20px;text-align:center}
.sheet{display:grid;gap:32px;padding:24px 20px;border-radius:16px;background:var(--surface);box-shadow:var(--shadow)}
.sheet>*{min-width:0}
h1{font-size:16px;line-height:24px;font-weight:600}
.summary>h1{color:var(--tone)}
.tone-waiting>h1::before{animation:breathe 2.4s ease-in-out infinite}
@keyframes breathe{50%{opacity:.25}}
.done{display:block;width:48px;height:48px;margin-bottom:16px;fill:var(--green)}
.done path{fill:none;stroke:var(--surface);stroke-width:4;stroke-linecap:round;stroke-linejoin:round}
.tone-paid>h1::before{display:none}
.tone-paid>h1{font-size:20px;line-height:28px}
.label{margin-top:16px;color:var(--quiet);font-size:14px;line-height:20px}
.amount{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 10px;font-weight:650;letter-spacing:-.01em}
.amount .select{font-size:40px;line-height:48px;overflow-wrap:anywhere;user-select:all;-webkit-user-select:all}
.amount.long .select{font-size:28px;line-height:40px}
.unit{font-size:20px;color:var(--quiet);font-weight:500}
.figure .group+.group{margin-left:.18em}
.detail{margin-top:8px;max-width:56ch}
.summary .button{margin-top:20px;width:100%}
.facts{border-top:1px solid var(--line);font-size:14px;line-height:20px}
.facts>div{display:flex;justify-content:space-between;gap:16px;padding:10px 0;border-bottom:1px solid var(--line)}
.facts dt{flex:none;color:var(--quiet)}
.facts dd{text-align:right;min-width:0;overflow-wrap:anywhere}
.time{margin-top:4px}
.pay{display:flex;flex-direction:column}
.above{display:flex;align-items:center;justify-content:space-between;gap:12px;margin-bottom:8px}
@media (pointer:coarse){.pay>.qr,.pay>.hint{order:1}.pay>.qr{margin-top:24px}.pay>.hint{margin-bottom:0}}
.qr{width:232px;max-width:100%;margin:0 auto;padding:0;border-radius:12px;background:#fff;overflow:hidden}
.sheet .qr{border:1px solid var(--line)}
.qr svg{display:block;width:100%;height:auto}
.hint{margin:12px auto 24px;max-width:36ch;text-align:center;text-wrap:balance}
.address{display:block;padding:12px;border:1px solid var(--line);border-radius:8px;background:var(--sunken);font:16px/28px var(--mono);text-align:center;text-wrap:balance;user-select:all;-webkit-user-select:all}
.address .group{padding:0 .25em}
.copy{display:inline-flex;align-items:center;gap:6px;align-self:center;min-height:36px;padding:6px 10px;border:1px solid var(--line);border-radius:8px;background:var(--surface);color:var(--accent-text);font:600 14px/20px var(--sans);letter-spacing:0;white-space:nowrap;cursor:pointer}
.copy:hover{border-color:var(--accent-text)}
.icon{width:16px;height:16px;fill:none;stroke:currentColor;stroke-width:1.4}
html:not(.script) .needs-script{display:none}
.warning{margin-top:12px;padding:12px;border:1px solid var(--amber-line);border-radius:8px;background:var(--amber-ground);font-size:14px;line-height:20px}
.wallet>*,.sandbox{margin-top:20px}
.wallet>.button{width:100%}
.wallet>.quiet{margin-top:8px;color:var(--text)}
.choices{display:grid;grid-template-columns:repeat(auto-fit,minmax(96px,1fr));gap:8px;margin-top:8px}
.choices .button{padding:8px;font-size:14px;line-height:20px}
.sandbox{padding-top:20px;border-top:1px dashed var(--line)}
.sandbox .choices{grid-template-columns:1fr 1fr}
.payments h2{margin-bottom:4px}
.payments li{padding:12px 0;border-bottom:1px solid var(--line)}
.payments li:last-child{border-bottom:0;padding-bottom:0}
.row{display:flex;flex-wrap:wrap;justify-content:space-between;gap:4px 16px}
.row .state{color:var(--tone);font-size:14px;line-height:24px;font-weight:500}
.row.quiet{font-size:13px}
progress{display:block;width:100%;height:6px;margin:8px 0;border:0;border-radius:3px;background:var(--line);overflow:hidden;appearance:none;-webkit-appearance:none}
progress::-webkit-progress-bar{background:var(--line)}
progress::-webkit-progress-value{background:var(--amber-bar);transition:width .4s}
progress::-moz-progress-bar{background:var(--amber-bar)}
.reveal summary{padding:8px 0;color:var(--accent-text);font-size:14px;line-height:20px;font-weight:600;cursor:pointer}
.reveal .pay{margin-top:16px}
.afterwards{text-wrap:pretty}
.notice{position:sticky;bottom:16px;padding:12px 16px;border-radius:8px;background:var(--text);color:var(--surface);font-size:14px;line-height:20px}
.problem{margin-top:10vh}
.problem h1{font-size:20px;line-height:28px}
.problem{gap:0}
footer{display:flex;flex-wrap:wrap;justify-content:center;gap:8px 24px;padding:16px 0;text-align:center;font-size:14px;line-height:20px}
footer a{color:var(--quiet)}
@media (min-width:800px){
.page{padding:40px 24px;gap:20px}
.sheet{padding:36px 40px}
@supports selector(:has(a)){
.page:has(.two){max-width:880px}
.two{grid-template-columns:1fr 360px;grid-template-rows:auto auto auto 1fr;column-gap:56px;align-items:start}
.two>.summary{grid-column:1}
.two>.pay{grid-column:2;grid-row:1/span 4}
.two>.payments,.two>.facts,.two>.afterwards{grid-column:1}
.two .amount:not(.long) .select{font-size:48px;line-height:56px}
}}
@media (prefers-reduced-motion:reduce){*,::before,::after{animation:none!important;transition:none!important}}
@media print{.sheet{padding:0}.warning,.banner{border:1px solid #999;background:#fff;color:#000}.sandbox,.wallet{display:none}}
`
