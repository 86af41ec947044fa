"""Header fields of WARC records and HTTP messages, looked up where they stand, so that only those asked for cost."""

import re

HEADER_END = re.compile(rb"\n\r{0,2}\n")
FOLD = re.compile(r"\r{0,2}\n[ \t]+")


class Field:
    """A header field by its name, in whatever case the name is written."""

    def __init__(self, name: str) -> None:
        self._search = re.compile(
            rb"\n%s[ \t]*:[ \t]*([^\r\n]*(?:\r{0,2}\n[ \t][^\r\n]*)*)" % name.encode(), re.IGNORECASE
        ).search

    def of(self, lines: bytes) -> str:
        """The field's first value in header lines, "" without one; lines that go on, unfolded (RFC 9112, section 5.2).

        lines: from the line before the first field.
        """
        found = self._search(lines)
        if not found:
            return ""
        value = found[1].decode("utf-8", "replace").strip()
        return FOLD.sub(" ", value) if "\n" in value else value
