"""An ONNX graph that grows node by node."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from sknn._optional import require
from sknn._saved import find_versions
from sknn._version import __version__

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto

ML = "ai.onnx.ml"
#: version of the operators of `ML`
ML_OPSET = 3
PURPOSE = "export_onnx"


class OnnxGraph:
    """Nodes, constants, inputs and outputs of a model in the making.

    Values are known by their names, which methods return.

    Parameters
    ----------
    opset : int
        Version of ONNX's operators.
    dtype : {'float32', 'float64'}
        Dtype in which the network computes.
    front : onnx.ModelProto, default=None
        Graph of the preceding steps.

    Attributes
    ----------
    front_output : str or None
        Name of what comes out of `front`.
    """

    def __init__(self, opset: int, dtype: str, front: "ModelProto | None" = None):
        self.onnx = require("onnx", PURPOSE)
        for part in ("checker", "compose", "helper", "numpy_helper"):
            require(f"onnx.{part}", PURPOSE)
        self.opset, self.dtype = opset, dtype
        self.nodes: list = []
        self.constants: list = []
        self.inputs: list = []
        self.outputs: list = []
        self.domains = {"": opset}
        self.n_names = 0
        self.front_output = None if front is None else self._begin_with(front)

    def _begin_with(self, front: "ModelProto") -> str:
        """Take over all of a model but its outputs, under other names, and return the first."""
        # Its nodes get names that ours cannot have. Its inputs keep those that the user knows, and
        # each is handed on to the new name.
        prefix = "front/"
        model = self.onnx.compose.add_prefix(front, prefix)
        for info in model.graph.input:
            inner, info.name = info.name, info.name.removeprefix(prefix)
            self.inputs.append(info)
            self.nodes.append(
                self.onnx.helper.make_node("Identity", [info.name], [inner], name=f"{inner}/in")
            )
        self.nodes.extend(model.graph.node)
        self.constants.extend(model.graph.initializer)
        for domain in model.opset_import:
            if domain.domain:
                self.domains[domain.domain] = domain.version
        return model.graph.output[0].name

    def make_name(self) -> str:
        """Return a name that no other value has."""
        self.n_names += 1
        return f"sknn/{self.n_names}"

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Append a node, of an operator of ONNX, and return the name of its output."""
        output = self.make_name()
        make = self.onnx.helper.make_node
        self.nodes.append(
            make(operator, inputs, [output], name=output, domain=domain or None, **attributes)
        )
        if domain:
            self.domains[domain] = ML_OPSET
        return output

    def add_constant(self, value: ArrayLike, dtype: DTypeLike | None = None) -> str:
        """Return the name of a new constant array of numbers, bool or text."""
        array = np.asarray(value, dtype=dtype)
        name = self.make_name()
        if array.dtype.kind in "OU":
            # `from_array` takes text as objects alone.
            array = array.astype(object)
        self.constants.append(self.onnx.numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def add_number(self, value: float | np.ndarray) -> str:
        """Return a constant in the dtype of the network."""
        return self.add_constant(value, self.dtype)

    def cast(self, value: str, dtype: DTypeLike) -> str:
        """Return a value in another dtype of NumPy's."""
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.add("Cast", value, to=kind)

    def take_columns(self, value: str, which: ArrayLike) -> str:
        """Return some columns, by number, of a value with two axes."""
        return self.add("Gather", value, self.add_constant(which, np.int64), axis=1)

    def concatenate(self, values: list[str]) -> str:
        """Return values of two axes, of one dtype, as one."""
        return values[0] if len(values) == 1 else self.add("Concat", *values, axis=1)

    def add_softplus(self, value: str) -> str:
        """Return ``log(1 + exp(t))``, for which ONNX Runtime has a node in float32 alone."""
        # log(1 + exp(t)) = max(t, 0) + log(1 + exp(-|t|)), in which no exponential overflows.
        size = self.add("Exp", self.add("Neg", self.add("Abs", value)))
        curve = self.add("Log", self.add("Add", size, self.add_number(1.0)))
        return self.add("Add", self.add("Max", value, self.add_number(0.0)), curve)

    def add_erf(self, value: str) -> str:
        """Return the error function, which ONNX Runtime computes in float32 alone."""
        return self.cast(self.add("Erf", self.cast(value, np.float32)), self.dtype)

    def replace_missing(self, value: str, replacement: str) -> str:
        """Return a value with another in place of NaN."""
        return self.add("Where", self.add("IsNaN", value), replacement, value)

    def add_input(self, name: str, dtype: DTypeLike, *sizes: int) -> str:
        """Add an input of shape (n_samples, *sizes), of numbers or (dtype str) text."""
        self.inputs.append(self._make_info(name, dtype, [None, *sizes]))
        return name

    def add_output(self, value: str, name: str, dtype: DTypeLike, shape: list) -> None:
        """Let a value be an output; a name that is an input's gets ``_`` behind it."""
        while name in {info.name for info in self.inputs}:
            name += "_"
        node = self.onnx.helper.make_node(
            "Identity", [value], [name], name=f"{self.make_name()}/out"
        )
        self.nodes.append(node)
        self.outputs.append(self._make_info(name, dtype, shape))

    def _make_info(self, name: str, dtype: DTypeLike, shape: list) -> "ValueInfoProto":
        helper, types = self.onnx.helper, self.onnx.TensorProto
        dtype = np.dtype(dtype)
        text = dtype.kind in "OU"
        kind = types.STRING if text else helper.np_dtype_to_tensor_dtype(dtype)
        return helper.make_tensor_value_info(name, kind, shape)

    def insert(self, model: "ModelProto", value: str) -> str:
        """Append the nodes of a model with one input and one output, and return the output."""
        prefix = self.make_name() + "/"
        model = self.onnx.compose.add_prefix(model, prefix)
        (first,), (last,) = model.graph.input, model.graph.output
        node = self.onnx.helper.make_node("Identity", [value], [first.name], name=f"{prefix}in")
        self.nodes.append(node)
        for node in model.graph.node:
            self._append(node)
        self.constants.extend(model.graph.initializer)
        return last.name

    def _append(self, node: "NodeProto") -> None:
        """Append a node of torch's exporter, or what stands for it in float64."""
        write = {"Softplus": self.add_softplus, "Erf": self.add_erf}.get(node.op_type)
        if self.dtype == "float32" or write is None:
            self.nodes.append(node)
            return
        result = write(node.input[0])
        self.nodes.append(self.onnx.helper.make_node("Identity", [result], node.output))

    def make_model(self, name: str) -> "ModelProto":
        """Return the whole as a checked ``onnx.ModelProto``.

        Parameters
        ----------
        name : str
            Name of the graph.
        """
        helper = self.onnx.helper
        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs, self.constants)
        opsets = [helper.make_opsetid(domain, n) for domain, n in sorted(self.domains.items())]
        model = helper.make_model(
            graph, opset_imports=opsets, producer_name="sknn", producer_version=__version__
        )
        helper.set_model_props(model, dict(find_versions("sklearn", "torch")))
        model.ir_version = helper.find_min_ir_version_for(opsets)  # older runtimes can read it
        self.onnx.checker.check_model(model, full_check=True)
        return model
