"""Layers of one network for another, whole networks, and lists of their parameters."""

import copy

import torch
from torch import nn

from sknn.architectures._autoencoder import Autoencoder
from sknn.architectures._mlp import MLP
from sknn.architectures._tabular_ensemble import TabularEnsemble


@torch.no_grad()
def copy_first_layers(autoencoder: Autoencoder, network: MLP) -> None:
    """Copy embeddings, and hidden layers of an encoder up to the first of another width.

    Parameters
    ----------
    autoencoder : Autoencoder
        Trained; its code counts as a layer.
    network : MLP
        Gets the weights; both take the same encoded inputs.
    """
    if network.embeddings is not None and autoencoder.embeddings is not None:
        network.embeddings.load_state_dict(autoencoder.embeddings.state_dict())
    encoder = autoencoder.linears[: autoencoder.n_encoder_layers]
    # The output layer has another meaning, even where it is as wide as a layer of the encoder.
    for source, layer in zip(encoder, network.linears[:-1], strict=False):
        if source.weight.shape != layer.weight.shape:
            break
        layer.weight.copy_(source.weight)
        if layer.bias is not None:  # batch normalization shifts by itself
            layer.bias.copy_(source.bias)


@torch.no_grad()
def copy_layers_to_members(autoencoder: Autoencoder, ensemble: TabularEnsemble) -> None:
    """Copy hidden layers of an encoder to all members, up to the first of another width.

    Both take the same encoded inputs, and the code of the autoencoder counts as a layer.
    """
    # Of the first layer these are the weights of the numbers; embeddings, which an autoencoder
    # lacks or has in another width, keep their first weights beside them.
    encoder = autoencoder.linears[: autoencoder.n_encoder_layers]
    n_known = ensemble.n_numeric
    for source, layer in zip(encoder, ensemble.linears[:-1], strict=False):
        weight = source.weight.t()[:n_known].to(layer.weight.dtype)
        if weight.shape[1] != layer.weight.shape[2]:
            break
        layer.weight[:, : len(weight)] = weight
        layer.bias[:] = source.bias.to(layer.bias.dtype)
        n_known = weight.shape[1]


def copy_network(module: nn.Module) -> nn.Module:
    """Return what `copy.deepcopy` does; of plain MLPs, of which searches have many, far sooner."""
    if type(module) is MLP and module.is_plain_but_for_dropout:  # which holds no tensor twice
        return _copy_tree(module)
    return copy.deepcopy(module)


def _copy_tree(module: nn.Module) -> nn.Module:
    """Return a module with tensors and modules of its own; settings are shared."""
    made = object.__new__(type(module))
    attributes = vars(made)
    attributes.update(vars(module))
    # What a module may change: hooks, and the state of dropout. Most dictionaries are empty, and a
    # new one costs a fifth of a copy.
    for name, value in vars(module).items():
        if isinstance(value, dict | set):
            attributes[name] = value.copy() if value else type(value)()
        elif isinstance(value, torch.Tensor):
            attributes[name] = value.clone()
    for name, parameter in module._parameters.items():
        if parameter is not None:
            copied = nn.Parameter(parameter.detach().clone(), parameter.requires_grad)
            made._parameters[name] = copied
    for name, buffer in module._buffers.items():
        made._buffers[name] = None if buffer is None else buffer.clone()
    for name, child in module._modules.items():
        made._modules[name] = None if child is None else _copy_tree(child)
    return made


def list_parameters(module: nn.Module) -> list[nn.Parameter]:
    """Return what ``list(module.parameters())`` is, in a third of the time."""
    if type(module).parameters is not nn.Module.parameters:  # a user's own
        return list(module.parameters())
    found: dict[int, nn.Parameter] = {}
    for layer in list_modules(module):
        for parameter in layer._parameters.values():
            if parameter is not None:
                found.setdefault(id(parameter), parameter)
    return list(found.values())


def list_modules(module: nn.Module) -> list[nn.Module]:
    """Return what ``list(module.modules())`` is, in a tenth of the time."""
    found: dict[int, nn.Module] = {}
    waiting: list[nn.Module | None] = [module]
    while waiting:
        layer = waiting.pop()
        if layer is not None and id(layer) not in found:
            found[id(layer)] = layer
            waiting.extend(reversed(layer._modules.values()))
    return list(found.values())
