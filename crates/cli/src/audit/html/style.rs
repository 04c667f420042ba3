//! How the page looks. The contrast of every text with its ground is 4.5 : 1 or more (WCAG 2.1, 1.4.3), of every bar
//! 3 : 1 or more (1.4.11).

pub(super) const STYLE: &str = "\
body{font:1rem/1.5 system-ui,sans-serif;max-width:72rem;margin:0 auto;padding:1rem;color:#1b1b1b;background:#fff}\
h1{font-size:1.8rem}h2{font-size:1.35rem;margin-top:2.5rem;border-top:2px solid #1d4f91;padding-top:.8rem}\
h3{font-size:1.15rem}h4{font-size:1rem;margin-bottom:0}h4+p{margin:0}\
footer{border-top:1px solid #767676;margin-top:2.5rem}\
a{color:#1d4f91}a:focus,summary:focus,.wide:focus{outline:3px solid #1d4f91;outline-offset:2px}\
.skip{position:absolute;left:-99rem}.skip:focus{position:static}\
.wide{overflow-x:auto;margin:1rem 0}table{border-collapse:collapse;width:100%}\
caption,figcaption{text-align:left;font-weight:600;padding:.3rem 0}\
th,td{border-bottom:1px solid #767676;padding:.35rem .6rem;text-align:left;vertical-align:top}\
th[scope=row]{font-weight:400}.n{text-align:right;font-variant-numeric:tabular-nums}\
code{font-size:.9em;overflow-wrap:anywhere}figure{margin:1rem 0}svg{width:100%;max-width:45rem;height:auto}\
svg text{font:13px system-ui,sans-serif;fill:#1b1b1b}rect{fill:#1d4f91}.mark{fill:#8a5a00}\
.holds{color:#0b6b2e}.fails{color:#a3160f}.verdict{font-size:1.2rem}\
.folded{display:none}details[open]+.folded{display:block}\
.cannot{border-left:4px solid #767676;padding-left:.8rem}\
@media print{body{max-width:none;font-size:10pt}.skip,details{display:none}.folded{display:block}.wide{overflow:visible}\
h2,h3,h4{break-after:avoid}tr,figure{break-inside:avoid}a{color:inherit;text-decoration:none}}";
