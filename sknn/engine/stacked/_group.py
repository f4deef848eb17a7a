"""Networks of one shape: as many as memory holds in a stack, the others waiting or done."""

from collections import defaultdict, deque
from collections.abc import Callable

from sknn._specs import TrainResult
from sknn.engine.checkpoints._recorder import Recorder
from sknn.engine.checkpoints._stack import StackRecorder
from sknn.engine.data._device import is_out_of_memory, limit_threads, use_precision
from sknn.engine.stacked._batches import Order
from sknn.engine.stacked._member import Member
from sknn.engine.stacked._memory import count_side_by_side
from sknn.engine.stacked._mlp import Stack, arrange
from sknn.engine.stacked._validation import StackedValidation

Outcome = TrainResult | BaseException

#: places that must be free in a stack before waiting networks are let in
SHARE_TO_REFILL = 0.25


def divide_group(group: dict[int, Member], n_parts: int) -> list[dict[int, Member]]:
    """Divide a group so that each thread gets a part, neighbours together."""
    numbers = {member: i for i, member in group.items()}
    members = _sort_by_order(list(group.values()))
    size = -(-len(members) // n_parts)
    parts = [members[i : i + size] for i in range(0, len(members), size)]
    return [{numbers[member]: member for member in part} for part in parts]


class MemberGroup:
    """Members of one shape, some of them in a stack, the others waiting or done.

    Parameters
    ----------
    members : dict of int to Member
        Number of its outcome -> network.
    memory : int
        Bytes that a stack may take.
    advance : callable
        Function that is called with the number of epochs that were done or are left out.
    is_stopped : callable
        Returns whether to stop before the next epoch.
    stack : type, default=Stack
        Stack of the networks.
    """

    def __init__(
        self,
        members: dict[int, Member],
        memory: int,
        advance: Callable[[int], None],
        is_stopped: Callable[[], bool],
        stack: type[Stack] = Stack,
    ):
        self.stack = stack
        self.numbers = {member: i for i, member in members.items()}
        self.advance, self.is_stopped = advance, is_stopped
        self.is_between_epochs, self.is_laid = True, False
        self.waiting = deque(members.values())
        self.active: list[Member] = []
        first = self.waiting[0]
        self.limit = count_side_by_side(first.net, memory, first.n_outputs_kept)
        self.batch_size = max(member.net.batch_size for member in self.waiting)

    def run(self, outcomes: list[Outcome | None]) -> None:
        """Train all; write results and errors. Ctrl-C ends those in training, and is raised."""
        self.recorder = StackRecorder([member.run for member in self.numbers])
        try:
            self._resume(outcomes)
            while self.waiting or self.active:
                self._train_stack(outcomes)
            self.recorder.end()
        except KeyboardInterrupt:
            for member in self.active:
                if not member.is_done:
                    member.interrupt(self.is_between_epochs)
                outcomes[self.numbers[member]] = _get_outcome(member)
            raise
        finally:
            self.recorder.close()
            for member in self.active:  # after an error
                member.run.close()

    def _resume(self, outcomes: list[Outcome | None]) -> None:
        """Begin those that a checkpoint has the state of, in the order in which they lay."""
        recorder, members = self.recorder, list(self.numbers)
        orders: dict[tuple, Order] = {}
        known = [i for i, content in enumerate(recorder.contents) if content is not None]
        for i in [*recorder.active, *(i for i in known if i not in recorder.active)]:
            self.waiting.remove(members[i])
            self.active.append(members[i])
            members[i].begin(orders, recorder.contents[i])
        # Whoever waits was let in when a stack was laid, and again when a network was done.
        self.is_laid = bool(self.active) and not any(members[i].is_done for i in recorder.active)
        self._let_go(outcomes)

    def _let_go(self, outcomes: list[Outcome | None]) -> None:
        """Conclude those that are done."""
        number = {member: i for i, member in enumerate(self.numbers)}
        for member in [member for member in self.active if member.is_done]:
            self.advance(member.plan.config.max_iter - member.run.progress.n_epochs)
            self.recorder.keep(number[member], member.run.recorder)
            outcomes[self.numbers[member]] = _get_outcome(member)
            self.active.remove(member)

    def _train_stack(self, outcomes: list[Outcome | None]) -> None:
        """Train a stack until it is worth while to lay it anew."""
        stack = self._make_stack()
        validation = StackedValidation(stack)
        first = self.active[0].net
        with limit_threads(0, 0), use_precision(first):  # one thread
            # With the first network that is done the stack is laid anew: its place in the tensors
            # would cost time as before, and those that wait may come in.
            while not any(member.is_done for member in self.active):
                self.is_between_epochs = True
                if self.is_stopped():
                    raise KeyboardInterrupt
                self.is_between_epochs = False
                for member in self.active:
                    member.run.open_epoch()
                losses = dict(zip(stack.runs, stack.run_epoch(), strict=True))
                validation.run()
                for member in self.active:
                    member.end_epoch(losses[member.run])
                self.recorder.end_epoch(self._find_recorders())
                self.advance(len(self.active))
        self._let_go(outcomes)

    def _find_recorders(self) -> dict[int, Recorder]:
        """Return the recorders of those in training, in the order in which they lie."""
        number = {member: i for i, member in enumerate(self.numbers)}
        return {number[member]: member.run.recorder for member in self.active}

    def _make_stack(self) -> Stack:
        """Let in who waits, if there is room enough, and lay all in training into a stack."""
        while True:
            free = self.limit - len(self.active)
            if not self.active or (free >= SHARE_TO_REFILL * self.limit and not self.is_laid):
                self._admit(free)
            self.is_laid = False
            try:
                return self._lay_stack()
            except (MemoryError, RuntimeError) as error:
                # One network that does not fit would not do so alone either.
                if len(self.active) < 2 or not is_out_of_memory(error):
                    raise
                self._shrink()

    def _lay_stack(self) -> Stack:
        active = self.active
        places = arrange([member.net for member in active], [member.order for member in active])
        runs, orders = [active[i].run for i in places], [active[i].order for i in places]
        return self.stack(runs, orders, self.batch_size)

    def _admit(self, free: int) -> None:
        orders: dict[tuple, Order] = {}
        for _ in range(find_boundary(free, [member.order_key for member in self.waiting])):
            member = self.waiting.popleft()
            member.begin(orders)
            self.active.append(member)

    def _shrink(self) -> None:
        """Send half of the networks that have not begun yet back to wait."""
        self.limit = max(1, len(self.active) // 2)
        fresh = [member for member in self.active if not member.run.progress.n_epochs]
        back = fresh[max(0, len(fresh) - (len(self.active) - self.limit)) :]
        self.active = [member for member in self.active if member not in back]
        self.waiting.extendleft(reversed(back))


def _sort_by_order(members: list[Member]) -> list[Member]:
    """Return members with those together that see the same samples in the same order."""
    keys = defaultdict(list)
    for member in members:
        keys[member.order_key].append(member)
    return [member for group in keys.values() for member in group]


def find_boundary(most: int, keys: list[tuple]) -> int:
    """Return how many to take, at most so many, so that few who share a key are torn apart."""
    if most >= len(keys):
        return len(keys)
    stop = most
    while stop and keys[stop - 1] == keys[stop]:
        stop -= 1
    return stop if 2 * stop > most else most


def _get_outcome(member: Member) -> Outcome:
    try:
        return member.conclude()
    except Exception as error:
        return error
