"""Reads settings files: a header line that begins with `#`, then `key = value` lines."""


def parse(text):
    """Return the settings in `text` as a dict.

    Raises ValueError when the header is missing or a line is no setting.
    """
    lines = text.splitlines()
    header = lines[0]
    if not header.startswith("#"):
        raise ValueError("the header line is missing")
    settings = {}
    for number, line in enumerate(lines[1:], start=2):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        key, separator, value = line.partition("=")
        if not separator:
            raise ValueError(f"line {number} is no setting: {line}")
        settings[key.strip()] = value.strip()
    return settings
