"""The rules of ``core.text.text_search`` as SQL functions, used by the indexes.

A change needs a migration that creates the functions under new names and rebuilds the indexes on
them: otherwise searches would miss rows that were folded by the old rules.
"""

from __future__ import annotations

from core.text.separators import SEPARATORS
from core.text.text_search import ALIKE_FROM, ALIKE_TO, CODE, LIGATURES, LONGEST, MARKS, UNSPACED


def _ligatures(expression: str) -> str:
    for one, letters in LIGATURES.items():
        expression = f"replace({expression}, '{one}', '{letters}')"
    return expression


# Most texts are ASCII and take the short branch. The functions call none of our other functions:
# indexes are built and analysed without our schema in the search path.
FOLDING = f"""
    IF octet_length(told) = char_length(told) THEN
        folded := lower(told);
    ELSE
        folded := regexp_replace(normalize(told, NFKD), '[{MARKS}]', '', 'g');
        folded := translate(lower(normalize(folded, NFC)), '{ALIKE_FROM}', '{ALIKE_TO}');
        folded := {_ligatures("folded")};
    END IF;
    spaced := btrim(regexp_replace(folded, '[{SEPARATORS}]+', ' ', 'g'));
"""

SPACED = f"""
CREATE FUNCTION causerie_spaced(told text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    folded text;
    spaced text;
BEGIN
    {FOLDING}
    RETURN spaced;
END
$$
"""

TOKENS = f"""
CREATE FUNCTION causerie_tokens(told text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    folded text;
    spaced text;
    words text[];
BEGIN
    {FOLDING}
    words := string_to_array(spaced, ' ');
    IF spaced ~ '[{UNSPACED}]' THEN
        spaced := btrim(regexp_replace(spaced, '([{UNSPACED}]+)', ' \\1 ', 'g'));
        words := ARRAY(
            SELECT CASE WHEN word ~ '^[{UNSPACED}]' THEN substr(word, place, 2) ELSE word END
            FROM regexp_split_to_table(spaced, ' +') AS word,
            generate_series(1, CASE WHEN word ~ '^[{UNSPACED}]' THEN length(word) ELSE 1 END) place
        );
    END IF;
    IF folded ~ '[0-9]' THEN
        words := words || ARRAY(
            SELECT left(regexp_replace(code[1], '[^a-z0-9]', '', 'g'), {LONGEST})
            FROM regexp_matches(folded, '{CODE}', 'g') AS code
        );
    END IF;
    IF spaced ~ '[^ ]{{{LONGEST + 1}}}' THEN
        words := ARRAY(SELECT left(word, {LONGEST}) FROM unnest(words) AS word);
    END IF;
    RETURN array_to_tsvector(words);
END
$$
"""
