import itertools

import numpy as np
import pytest

from sknn.activations import heaviside
from sknn.threshold.networks._circuit import Circuit, Signal

ROWS = np.array(list(itertools.product([0, 1], repeat=3)))


def outputs(circuit, *signals):
    values = ROWS
    for coef, thresholds in circuit.make_layers(list(signals)):
        values = heaviside(values @ coef - thresholds)
    return values.T.tolist()


def n_units(circuit, *signals):
    return sum(len(thresholds) for _, thresholds in circuit.make_layers(list(signals)))


@pytest.mark.parametrize("weights", list(itertools.product([-4, -2, 0, 1, 2], repeat=3)))
def test_a_unit_fires_where_the_sum_reaches_its_threshold(weights):
    for constant, threshold in itertools.product([-1, 0, 2], range(-8, 7)):
        circuit = Circuit(3)
        total = circuit.combine(zip(weights, circuit.inputs, strict=True), constant)
        fired = circuit.add_unit(total, threshold)
        wanted = heaviside(ROWS @ weights + constant - threshold)
        assert outputs(circuit, fired, ~fired) == [wanted.tolist(), (1 - wanted).tolist()]
        if np.ptp(wanted) == 0:
            assert fired == Signal((), int(wanted[0]))


def test_multiples_and_opposites_are_the_same_unit():
    circuit = Circuit(3)
    a, b, _ = circuit.inputs
    both = circuit.at_least(2, [a, b])
    assert circuit.add_unit(circuit.combine([(2, a), (2, b)]), 3) == both
    assert circuit.add_unit(circuit.combine([(-3, a), (-3, b)]), -5) == ~both


def test_an_input_is_no_unit():
    circuit = Circuit(3)
    a = circuit.inputs[0]
    assert circuit.at_least(1, [a]) == a
    assert circuit.at_least(1, [~a]) == ~a


def test_signals_of_several_layers_are_passed_on_once():
    circuit = Circuit(3)
    a, b, c = circuit.inputs
    first = circuit.at_least(2, [circuit.at_least(2, [a, b]), c])
    second = circuit.at_least(1, [circuit.at_least(2, [a, b]), c])
    assert outputs(circuit, first, second) == [
        [0, 0, 0, 0, 0, 0, 0, 1],
        [0, 1, 0, 1, 0, 1, 1, 1],
    ]
    assert n_units(circuit, first, second) == 4  # a and b, c, and the outputs


def test_units_without_use_are_left_out():
    circuit = Circuit(3)
    circuit.add_parity(circuit.inputs)
    assert n_units(circuit, circuit.at_least(2, circuit.inputs)) == 1


@pytest.mark.parametrize("n_not", [0, 1, 2])
def test_parity_counts_and_cancels(n_not):
    circuit = Circuit(3)
    a, b, c = circuit.inputs
    signals = [~a if n_not else a, ~b if n_not == 2 else b, c, c, Signal((), 1)]
    wanted = (ROWS[:, :2].sum(axis=1) + n_not + 1) % 2
    parity = circuit.add_parity(signals)
    assert outputs(circuit, parity) == [wanted.tolist()]
    assert n_units(circuit, parity) == 3
