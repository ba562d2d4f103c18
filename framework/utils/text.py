"""Text from files, on a terminal."""

from __future__ import annotations


def printable(text: str, keep: str = "") -> str:
    r"""Return ``text`` with all that is not printable written as Python escapes it.

    Text from a file can hold codes that move a terminal's cursor, change its title or clear it,
    and half characters that cannot be printed at all. The characters in ``keep`` stay.

    >>> printable("cat\x1b[2J")
    'cat\\x1b[2J'
    """
    return "".join(
        character
        if character.isprintable() or character in keep
        else character.encode("unicode_escape").decode()
        for character in text
    )
