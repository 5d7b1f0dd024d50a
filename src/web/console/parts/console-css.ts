/** Rules of the console, beside the tokens. Dense where people work; cards on a phone. */
export const consoleCss = `body{font-size:14px;line-height:20px}
h1{margin:0;font-size:20px;line-height:28px;font-weight:650;min-width:0;overflow-wrap:anywhere}
h2{margin-bottom:12px}
.card>*+*{margin-top:12px}.card>h2{margin-bottom:0}
h3{margin:16px 0 8px;font-size:14px;line-height:20px;font-weight:600}
.button{min-height:36px;padding:6px 12px;border-radius:6px}
.skip{position:absolute;left:-9999px}.skip:focus{left:16px;top:8px;z-index:2;background:var(--surface);padding:8px}
.top{display:flex;flex-wrap:wrap;align-items:center;gap:8px 16px;padding:8px 16px;background:var(--surface);border-bottom:1px solid var(--line)}
.brand{font-weight:650;color:var(--text);text-decoration:none}
.top .search{flex:1 1 240px;max-width:560px}
.top .search input{width:100%}
.top form{margin:0}
.end-of-top{display:flex;flex-wrap:wrap;align-items:center;gap:8px 12px;margin-left:auto}
.chooser{display:flex;gap:4px}
.plain-button{border:0;background:none;padding:8px 4px;color:var(--accent-text);font:inherit;cursor:pointer;text-decoration:underline;text-underline-offset:3px}
.frame{display:grid;grid-template-columns:184px minmax(0,1fr);max-width:1440px;margin:0 auto}
.side{padding:16px 8px}
.side ul{display:flex;flex-direction:column;gap:2px}
.side a{display:block;padding:8px 12px;border-radius:6px;color:var(--text);text-decoration:none}
.side a:hover{background:var(--sunken)}
.side a[aria-current=page]{background:var(--surface);font-weight:600;box-shadow:inset 3px 0 var(--accent)}
.side .part{margin:16px 12px 4px;color:var(--quiet);font-size:12px;line-height:16px}
main{padding:16px;min-width:0}
main.alone{max-width:440px;margin:32px auto}
.title{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:8px;margin-bottom:16px}
.card{margin-bottom:16px;padding:16px;background:var(--surface);border:1px solid var(--line);border-radius:8px}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));gap:16px;align-items:start;margin-bottom:16px}
.columns>.card{margin:0}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(180px,1fr));gap:16px;margin-bottom:16px}
.figures>*{padding:12px 16px;background:var(--surface);border:1px solid var(--line);border-radius:8px}
.figures dt{color:var(--quiet);font-size:12px;line-height:16px}
.figures dd{font-size:18px;line-height:28px;font-weight:600}
.notice,.problem{margin-bottom:16px;padding:12px 16px;border:1px solid var(--line);border-left:3px solid var(--green);border-radius:6px;background:var(--surface)}
.problem{border-left-color:var(--red)}
.warning{border-left-color:var(--amber-bar)}
.tone-grey{--tone:var(--grey)}.tone-amber{--tone:var(--amber)}.tone-green{--tone:var(--green)}.tone-red{--tone:var(--red)}
.table{overflow-x:auto;margin-bottom:16px;background:var(--surface);border:1px solid var(--line);border-radius:8px}
.card>.table{margin:12px -16px -16px;border-width:1px 0 0;border-radius:0 0 8px 8px}
.card>.table:not(:last-child){margin-bottom:0;border-bottom-width:1px;border-radius:0}
table{width:100%;border-collapse:collapse}
th,td{padding:8px 12px;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--line)}
tr:last-child td{border-bottom:0}
th{color:var(--quiet);font-size:12px;line-height:16px;font-weight:500;white-space:nowrap}
tbody tr:hover{background:var(--sunken)}
.end{text-align:right}
.figure,time,.nowrap{white-space:nowrap}
.group+.group{margin-left:.2em}
.id{overflow-wrap:anywhere}
.copyable{display:inline-flex;flex-wrap:wrap;gap:4px 8px;align-items:baseline}
.copy{border:1px solid var(--line);border-radius:4px;background:transparent;color:var(--text);font:inherit;font-size:12px;line-height:16px;padding:3px 8px;cursor:pointer}
.needs-script{display:none}.scripted .needs-script{display:inline-block}
.empty{padding:24px 16px;margin-bottom:16px;text-align:center;color:var(--quiet);background:var(--surface);border:1px dashed var(--line);border-radius:8px}
.card>.empty{margin:12px 0 0}
.tabs ul{display:flex;flex-wrap:wrap;gap:4px;margin-bottom:12px;border-bottom:1px solid var(--line)}
.tabs a{display:block;padding:8px 12px;color:var(--text);text-decoration:none}
.tabs a:hover{background:var(--sunken)}
.tabs a[aria-current=page]{font-weight:600;box-shadow:inset 0 -3px var(--accent)}
.pager,.actions{display:flex;flex-wrap:wrap;gap:8px;align-items:center}
.facts{display:grid;gap:8px}
.facts>div{display:grid;grid-template-columns:minmax(96px,176px) minmax(0,1fr);gap:4px 12px}
.facts dt{color:var(--quiet)}
.facts dd{overflow-wrap:anywhere}
.form{display:flex;flex-direction:column;gap:12px;align-items:flex-start;max-width:520px}
.form .field{width:100%}
.form.inline,.inline{display:inline-flex;flex-direction:row;flex-wrap:wrap;gap:8px;align-items:flex-end;max-width:none}
.filters{display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start;margin-bottom:16px}
.filters>.actions{padding-top:24px}
.field{display:flex;flex-direction:column;gap:4px}
.field label{font-weight:500}
.field.tick label{display:flex;gap:8px;align-items:baseline;font-weight:400}
fieldset .tick{margin-top:8px}
input,select,textarea{font:inherit;color:inherit;background:var(--surface);border:1px solid var(--quiet);border-radius:6px;padding:7px 10px;min-height:36px;max-width:100%}
.field>input,.field>textarea{width:100%}
.filters .field>input{width:auto}
input[type=checkbox]{min-height:0;accent-color:var(--accent)}
input[type=color]{padding:2px;width:64px!important}
input[aria-invalid],textarea[aria-invalid]{border-color:var(--red)}
.hint{color:var(--quiet);font-size:12px;line-height:16px}
.hint.wrong{color:var(--red)}
pre{margin:0;padding:12px;overflow:auto;max-height:480px;background:var(--sunken);border:1px solid var(--line);border-radius:6px;font:12px/18px var(--mono);white-space:pre-wrap;overflow-wrap:anywhere}
code{font-family:var(--mono);font-size:.92em;overflow-wrap:anywhere}
fieldset{margin:0;padding:12px 16px;border:1px solid var(--line);border-radius:6px;width:100%;min-width:0}
legend{padding:0 4px;font-weight:500}
.steps{margin:0;padding-left:20px}.card>.steps{margin-top:12px}.steps li+li{margin-top:4px}
.logo{max-width:200px;max-height:64px}
.swatch{vertical-align:-3px}
.notice .facts{margin:8px 0}.notice .facts>div{grid-template-columns:minmax(72px,96px) minmax(0,1fr)}.secret .facts{margin-top:8px}
.notice h3{margin:0}
details>summary{cursor:pointer;padding:4px 0}
.timeline{list-style:none;margin:12px 0 0 8px;border-left:2px solid var(--line);padding-left:20px;display:flex;flex-direction:column;gap:16px}
.timeline>li{position:relative}
.timeline>li::before{content:"";position:absolute;left:-27px;top:4px;width:12px;height:12px;border-radius:50%;background:var(--tone,var(--grey));border:2px solid var(--surface)}
.lists{display:flex;flex-wrap:wrap;gap:4px;margin-bottom:12px}
.lists a{padding:6px 12px;border-radius:6px;color:var(--text);text-decoration:none}
.lists a:hover{background:var(--sunken)}
.lists a[aria-current]{background:var(--surface);font-weight:600;box-shadow:inset 0 -3px var(--accent)}
.pay-link{display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start}
.pay-link>.qr{flex:0 0 144px}.pay-link>.qr svg{margin:0}
.pay-link>:last-child{flex:1 1 200px;display:grid;gap:12px}
.lead{max-width:72ch;margin-bottom:12px;color:var(--quiet)}
.note-text{white-space:pre-wrap;overflow-wrap:anywhere}
.timeline>li>*+*{margin-top:4px}
.bars rect{fill:var(--accent)}.bars rect.second{fill:var(--amber-bar)}.bars text{fill:var(--quiet);font:11px var(--sans)}.bars line{stroke:var(--line)}
.after{margin-top:12px}.before{margin-bottom:12px}
.qr svg{display:block;width:240px;max-width:100%;margin:12px 0;border-radius:6px}
ol.secret{margin:12px 0;padding-left:44px}
svg.bars{display:block;width:100%;height:160px}
.bars .ground{fill:transparent}.bars g:hover .ground{fill:var(--sunken)}
.chart{margin:0 0 12px}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:12px;line-height:16px}
.key::before{content:"";display:inline-block;width:10px;height:10px;margin-right:6px;border-radius:2px;background:var(--accent)}
.key.series-1::before{background:var(--amber-bar)}
.axis{display:flex;justify-content:space-between;padding:4px 0;color:var(--quiet);font-size:12px;line-height:16px}
.prose{display:flex;flex-direction:column;gap:8px;max-width:72ch;margin-bottom:8px}.prose ol{margin:0;padding-left:20px}
.parts{gap:4px 16px;margin-bottom:16px}
progress{width:96px;height:8px;vertical-align:middle;accent-color:var(--accent)}
.as-of{margin:0 0 12px}
.needs{display:flex;flex-direction:column;gap:8px}
.secret{padding:12px;border:1px solid var(--amber-line);background:var(--amber-ground);border-radius:6px}
footer{padding:16px;text-align:center;color:var(--quiet);font-size:12px}
/* Unfolded where there is room, in browsers that can; the others keep what folds it. */
@media (min-width:761px){@supports selector(::details-content){.fold>summary{display:none}.fold::details-content{content-visibility:visible}}}
@media (max-width:760px){
.fold{margin-bottom:16px}.fold>summary{min-height:44px;padding:10px 12px;background:var(--surface);border:1px solid var(--line);border-radius:6px;font-weight:500}.fold[open]>summary{margin-bottom:12px}
.frame{display:block}
.side{padding:4px 8px;border-bottom:1px solid var(--line);background:var(--surface);overflow-x:auto}
.side ul{flex-direction:row}
.side nav{display:flex;align-items:center}
.side a{white-space:nowrap;padding:12px 10px}
.side a[aria-current=page]{box-shadow:inset 0 -3px var(--accent)}
.side .part{margin:0 4px}
.end-of-top{margin-left:0;width:100%;justify-content:space-between;gap:0 12px}
.end-of-top .quiet{display:none}
.button,input,select{min-height:44px}
main.alone{margin:0 auto}
.table{border:0;background:none;overflow:visible}
.card>.table{margin:12px 0 0}
table,tbody,tr,td{display:block}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{margin-bottom:8px;padding:8px 12px;background:var(--surface);border:1px solid var(--line);border-radius:8px}
td,td.end{display:flow-root;padding:4px 0 4px 120px;border:0;text-align:left;overflow-wrap:anywhere}
td::before{content:attr(data-head);float:left;width:112px;margin-left:-120px;color:var(--quiet);font-size:12px}
.facts>div{grid-template-columns:1fr;gap:0}
.filters .field,.filters .field>input,.filters .field>select{width:100%}
.filters>.actions{padding-top:0}
.figures{grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:8px}
}
@media print{.top,.side,.pager,.filters,form{display:none!important}.frame{display:block}}
`
