"""Names as somebody who means harm would choose them."""

from __future__ import annotations

from hypothesis import strategies as st

NAMES = (
    "a\nb",
    "\r\n::error::owned",
    "::error::owned",
    "  ::add-mask::a",
    "x ##[error]owned",
    "###[[section]",
    ":::::set-output name=x::y",
    "a|b||c",
    "<img src=x onerror=alert(1)>",
    "<!-- comment --><details>",
    "`code` ``` ````",
    "@octocat and #123 and octo/app#1",
    "[text](javascript:alert(1)) ![](https://evil.example/x.png)",
    "https://evil.example www.evil.example mail@evil.example",
    "]]>",
    "</code></summary><script>",
    "*bold* _it_ ~~x~~ $math$",
    "1. list",
    "- list",
    "# heading",
    "> quote",
    "    indented",
    "\u202etxt.exe\u2066",
    "\udfff\ud800",
    "nul\0nul",
    "\x1b[31mred\x1b[0m",
    "\u2028line\u2029paragraph\x85next",
    "&lt;b&gt; &amp; &#60;",
    "\\",
    "${{ secrets.TOKEN }}",
    "%0A::error::x %25",
    "",
    " ",
    "x" * 10_000,
)

names = st.sampled_from(NAMES) | st.text(
    st.characters(codec=None) | st.sampled_from("|<>&`*_[]()#@:$!\\\n\r\t \u202e\ud800"), max_size=60
)
