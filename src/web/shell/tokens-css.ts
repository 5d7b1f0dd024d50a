/** Colours, type and the parts that all pages share. Light, dark and print; a grid of 4 px; the system's own fonts. */
export const tokensCss = `:root{
color-scheme:light dark;
--ground:#f3f5f4;--surface:#fff;--sunken:#f6f8f7;--line:#dfe4e1;--text:#16201c;--quiet:#5a6660;
--accent:#1f6f5c;--accent-text:#1f6f5c;--on-accent:#fff;
--amber:#8a5a00;--amber-bar:#c98a12;--amber-ground:#fdf6e3;--amber-line:#ecd9a4;
--green:#17734a;--red:#b3261e;--grey:#66716b;
--shadow:0 1px 2px #16201c0d,0 8px 32px #16201c0f;
--sans:system-ui,-apple-system,"Segoe UI",Roboto,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;
--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"Roboto Mono",monospace;
}
@media (prefers-color-scheme:dark){:root{
--ground:#0f1113;--surface:#181b1f;--sunken:#1f2327;--line:#30363c;--text:#e9ecea;--quiet:#a0aaa5;
--accent:#54b89b;--accent-text:#6cc7ac;--on-accent:#06211a;
--amber:#e6b450;--amber-bar:#e6b450;--amber-ground:#28220f;--amber-line:#4d421d;
--green:#5cc792;--red:#ff8f85;--grey:#a0aaa5;
--shadow:none;
}}
*,::before,::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.5 var(--sans);font-variant-numeric:tabular-nums}
h1,h2,p,ul,dl,dd{margin:0;padding:0}
ul{list-style:none}
h2{font-size:14px;line-height:20px;font-weight:600}
a{color:var(--accent-text);text-underline-offset:3px}
[hidden]{display:none!important}
.quiet{color:var(--quiet);font-size:14px;line-height:20px}
.mono{font-family:var(--mono);font-size:.9em}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
:focus-visible{outline:2px solid var(--accent-text);outline-offset:2px;border-radius:4px}
.button{display:inline-flex;align-items:center;justify-content:center;min-height:44px;padding:8px 16px;border:1px solid var(--accent);border-radius:8px;background:var(--accent);color:var(--on-accent);font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}
.button:hover{filter:brightness(1.06)}
.button.plain{background:transparent;border-color:var(--line);color:var(--text);font-weight:500}
.button.plain:hover{border-color:var(--quiet);filter:none}
.button:disabled{opacity:.6;cursor:default}
.state{display:inline-flex;align-items:baseline;gap:8px}
.state::before{content:"";flex:none;width:8px;height:8px;border-radius:50%;background:var(--tone);transform:translateY(-1px)}
.tone-waiting,.tone-over{--tone:var(--grey)}
.tone-seen,.tone-short{--tone:var(--amber)}
.tone-paid{--tone:var(--green)}
.tone-closed{--tone:var(--red)}
@media print{
:root{--ground:#fff;--surface:#fff;--sunken:#fff;--line:#999;--text:#000;--quiet:#333;--shadow:none}
button,.button,.language{display:none!important}
}
`
