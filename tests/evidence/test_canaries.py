from evidence import canaries


def test_a_seed_gives_its_own_strings():
    """The same seed gives the same strings; another seed shares none of them."""
    assert canaries.draw(50, 3) == canaries.draw(50, 3)
    assert not set(canaries.draw(50, 3)) & set(canaries.draw(500, 4))


def test_every_string_is_of_the_space():
    """A string is the prefix and as many characters of the alphabet as were asked for."""
    for text in canaries.draw(20, 0, prefix="p ", alphabet="01", length=40):
        assert text.startswith("p ")
        assert len(text) == 42
        assert set(text[2:]) == {"0", "1"}
