"""`torch.nn.ModuleList` for type checkers that shall know what is in it."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from torch import nn

if TYPE_CHECKING:
    Layer = TypeVar("Layer", bound=nn.Module, covariant=True)

    class LayerList(nn.ModuleList, Generic[Layer]):
        """A `torch.nn.ModuleList` of layers of one kind."""

        def __init__(self, modules: Iterable[Layer] = ()) -> None: ...

        def __iter__(self) -> Iterator[Layer]: ...

        @overload
        def __getitem__(self, idx: slice) -> "LayerList[Layer]": ...

        @overload
        def __getitem__(self, idx: int) -> Layer: ...

        def __getitem__(self, idx: int | slice) -> "Layer | LayerList[Layer]": ...
else:
    # A class of its own would stand in every repr and file of a network, and say nothing new there.
    LayerList = nn.ModuleList
