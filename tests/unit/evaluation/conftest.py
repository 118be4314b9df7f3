import pytest
import torch
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """As a fold's process computes; on a busy machine a second thread mostly waits."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
