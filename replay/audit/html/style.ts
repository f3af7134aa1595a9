/** Okabe and Ito's colours: told apart by every kind of colour vision, and by lightness in print. */
export const STYLE = `
:root{--ink:#1b1b1b;--dim:#5c5c5c;--line:#d5d5d5;--paper:#fff;--soft:#f5f5f2;--read:#d9d9d9;--write:#56b4e9;--exec:#0072b2;--wx:#d55e00;--bad:#a83f00;--good:#00694d;--odd:#7a5c00}
@media (prefers-color-scheme:dark){:root{--ink:#eaeaea;--dim:#a8a8a8;--line:#444;--paper:#161616;--soft:#222;--read:#555;--bad:#ff9a5c;--good:#4fd1a5;--odd:#e6c34a}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1rem;font:1rem/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:1.2rem 0 .3rem}
p{margin:.4rem 0}code,.mono{font-family:ui-monospace,monospace;font-size:.87em;overflow-wrap:anywhere}
.dim{color:var(--dim)}.broken{color:var(--bad);font-weight:600}.holds{color:var(--good)}.unknown{color:var(--odd);font-weight:600}
.sentence{font-size:1.1rem;font-weight:600;padding:.7rem 1rem;background:var(--soft);border-left:4px solid var(--exec)}
.counts{display:flex;flex-wrap:wrap;gap:.5rem;padding:0;margin:1rem 0;list-style:none}
.counts li{background:var(--soft);padding:.5rem .8rem;border-radius:4px}.counts b{font-size:1.25rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.5rem 0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line)}th{color:var(--dim);font-weight:400}
.scroll{overflow-x:auto}
details{margin:.5rem 0;border:1px solid var(--line);border-radius:4px;padding:.4rem .7rem}summary{cursor:pointer}
ol.findings{padding-left:1.4rem}ol.findings li{margin:.5rem 0}.evidence{margin:.2rem 0 0 0;padding-left:1rem;color:var(--dim);list-style:none}
svg{display:block;width:100%;min-width:40rem;height:auto}
svg text{font:10px ui-monospace,monospace;fill:var(--ink)}svg .axis{stroke:var(--dim);stroke-width:.5}svg .phase{stroke:var(--dim);stroke-width:.6;stroke-dasharray:3 3}
.read{fill:var(--read)}.write{fill:var(--write)}.execute{fill:var(--exec)}.write-execute{fill:url(#wx)}.unclear{fill:url(#unknown)}
.mark rect{fill:none;stroke:var(--ink);stroke-width:1.4}.mark circle{fill:var(--paper);stroke:var(--ink);stroke-width:1.2}
.mark:focus rect,.mark:hover rect,.cell:hover,.cell:focus{stroke:var(--wx);stroke-width:2.5;outline:none}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin:.5rem 0;padding:0;list-style:none;font-size:.9rem}.legend svg{display:inline-block;min-width:0;width:1.4em;height:1em;vertical-align:-.1em}
#said{min-height:3em;padding:.4rem .7rem;background:var(--soft);display:block;white-space:pre-wrap;overflow-wrap:anywhere}
@media (max-width:40rem){dl{grid-template-columns:1fr}dd{margin:0 0 .4rem .8rem}table.stack thead{display:none}table.stack tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}table.stack td{display:block;border:0;padding:.1rem 0}table.stack td[data-of]::before{content:attr(data-of) ' ';color:var(--dim)}}
@media print{:root{--ink:#000;--dim:#444;--line:#bbb;--paper:#fff;--soft:#f2f2f2;--read:#d9d9d9;--bad:#a83f00;--good:#00694d;--odd:#7a5c00}body{max-width:none;padding:0;font-size:9.5pt}#said,.hint{display:none}svg{min-width:0}rect,.sentence{print-color-adjust:exact;-webkit-print-color-adjust:exact}details,tr,li{break-inside:avoid}.scroll{overflow:visible}}
`;

/** Shows what a cell or a mark of the picture says when it is pointed at, tapped or reached by keyboard. */
export const SCRIPT = `
(()=>{const said=document.getElementById('said');if(!said)return;
const show=e=>{const at=e.target.closest&&e.target.closest('.cell,.mark');const title=at&&at.querySelector('title');if(title)said.textContent=title.textContent};
for(const kind of ['click','pointerover','focusin'])document.addEventListener(kind,show);
addEventListener('beforeprint',()=>{for(const one of document.querySelectorAll('details'))one.open=true});})();
`;
