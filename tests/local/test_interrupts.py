import subprocess
import sys

LOST = """
import os, signal, weakref
from deployments.local import interrupts

class Passing: pass

interrupts.listen()
passing = Passing()
watch = weakref.ref(passing, lambda _: os.kill(os.getpid(), signal.SIGINT))
del passing  # in this callback Python prints KeyboardInterrupt, and goes on
print("not noticed")
interrupts.check()
print("never said")
"""


def test_an_interrupt_that_python_drops_is_noticed_at_the_next_check() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOST], capture_output=True, text=True, check=False
    )

    assert ended.stdout == "not noticed\n"
    assert "Exception ignored in" in ended.stderr
    assert ended.returncode != 0
