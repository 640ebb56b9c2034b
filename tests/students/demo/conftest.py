import pytest

from students.demo import County, generate


@pytest.fixture(scope="session")
def county() -> County:
    """A small example county; the tests read it and change nothing."""
    return generate(3000, 1)
