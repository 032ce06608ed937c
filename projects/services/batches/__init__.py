"""One action over several projects: asked for here, done by the worker item by item, mended when a worker dies."""

from projects.services.batches.keeping import prune_batches
from projects.services.batches.mend import mend_batches
from projects.services.batches.perform import do_item
from projects.services.batches.start import MOST_COMMAND_SECONDS, NEEDED, start_batch, wait_for_batch

__all__ = ["MOST_COMMAND_SECONDS", "NEEDED", "do_item", "mend_batches", "prune_batches", "start_batch", "wait_for_batch"]
