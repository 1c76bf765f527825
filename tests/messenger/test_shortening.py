"""Variables get shorter names; anything else of the same name keeps it."""

from __future__ import annotations

import pytest

from messenger import bundle
from messenger.shortening import shorten


@pytest.mark.parametrize(
    ("written", "short"),
    [
        ("let counter=1;counter+=1", "let a=1;a+=1"),
        ("const counter=1", "let a=1"),
        ("function measure(width,height){return width*height}", "function c(b,a){return b*a}"),
        # Named from outside: properties, keys, methods, shorthands, destructuring.
        ("let counter=1;window.counter=counter", "let counter=1;window.counter=counter"),
        ("let counter=1;send({counter:2})", "let counter=1;send({counter:2})"),
        ("let counter=1;send({counter})", "let counter=1;send({counter})"),
        ("let counter=1;send({counter(){}})", "let counter=1;send({counter(){}})"),
        ("let counter=1;let{counter:own}=send", "let counter=1;let{counter:own}=send"),
        ("let counter=1;send?.counter", "let counter=1;send?.counter"),
        # A block is not an object.
        ("let counter=1;if(send){counter=2}", "let a=1;if(send){a=2}"),
        ("let counter=1;on(()=>{counter=2})", "let a=1;on(()=>{a=2})"),
        # Strings and patterns are left alone; expressions in a template literal are not.
        ("let counter=1;say('counter',\"counter\")", "let a=1;say('counter',\"counter\")"),
        ("let counter=1;say(`counter ${counter} counter`)", "let a=1;say(`counter ${a} counter`)"),
        ("let counter=1;say(`${`${counter}`} counter`)", "let a=1;say(`${`${a}`} counter`)"),
        ("let counter=1;say(`\\${counter}`)", "let a=1;say(`\\${counter}`)"),
        (
            "let counter=1;say(/counter[/]counter/.test(counter))",
            "let a=1;say(/counter[/]counter/.test(a))",
        ),
        ("let counter=4;say(counter/2,counter/2)", "let a=4;say(a/2,a/2)"),
        # A name that is in use is not given again.
        ("let counter=a;b(counter)", "let c=a;b(c)"),
    ],
)
def test_names_of_variables_are_shortened(written: str, short: str) -> None:
    assert shorten(written) == short


def test_unsupported_syntax_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot parse"):
        shorten("let counter=`endless")


def test_embed_js_stays_below_its_size_limit() -> None:
    assert len(bundle.embed(bundle.tag()).zipped) < 5 * 1024
