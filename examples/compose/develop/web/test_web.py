import unittest

import web


class Page(unittest.TestCase):
    def test_names_the_visit(self):
        self.assertEqual(web.page(3), "release: visit 3\n")


class Redis(unittest.TestCase):
    def test_counts(self):
        first = web.redis("INCR", "test-visits")
        self.assertEqual(web.redis("INCR", "test-visits"), first + 1)
