import unittest

from src.parser import parse


class ParseTest(unittest.TestCase):
    def test_settings_are_read(self):
        text = "# demo\nname = Espalier\nport = 8080\n"
        self.assertEqual(parse(text), {"name": "Espalier", "port": "8080"})

    def test_comments_and_blank_lines_are_skipped(self):
        text = "# demo\n\n# a comment\nname = Espalier\n"
        self.assertEqual(parse(text), {"name": "Espalier"})

    def test_a_file_without_header_is_refused(self):
        with self.assertRaises(ValueError):
            parse("name = Espalier\n")

    def test_empty_input_gives_no_settings(self):
        self.assertEqual(parse(""), {})


if __name__ == "__main__":
    unittest.main()
