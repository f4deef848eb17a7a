"""Address space that pyarrow's allocator reserves: 64 MiB at a time in place of 1 GiB.

What is reserved counts against a limit of memory (``ulimit -d``) though nothing is written there,
and would leave too little for training on files. The allocator reads its setting when pyarrow is
loaded, which pandas and scikit-learn do before sknn knows of it.
"""

import os

#: in KiB; a setting of the user's goes before
os.environ.setdefault("MIMALLOC_ARENA_RESERVE", str(64 * 1024))
