import numpy as np
import pytest
import torch

from sknn._specs import InputSpec, TargetSpec
from sknn.architectures import MLP
from sknn.architectures.layers._embeddings import CategoryEmbeddings, choose_embedding_width

SPEC = InputSpec("table", 2, "float64", cardinalities=(4, 3))
TARGET = TargetSpec("values", 1, "squared_error")
X = torch.tensor([[0.5, -1.0, 1.0, 2.0], [0.1, 0.2, 3.0, 0.0], [2.0, 1.0, 0.0, 1.0]]).double()


@pytest.fixture
def embeddings():
    module = CategoryEmbeddings(2, (4, 3), torch.float64)
    module.initialize_weights(np.random.RandomState(0))
    return module


def test_widths_follow_the_rule_and_its_limit():
    for cardinality, width in [(1, 2), (2, 2), (3, 3), (12, 6), (468, 50), (10**6, 50)]:
        assert choose_embedding_width(cardinality) == width


def test_codes_pick_rows_and_numbers_stay(embeddings):
    first, second = (table.weight.detach().numpy() for table in embeddings.tables)
    codes = X.numpy()[:, 2:].astype(int)
    expected = np.hstack([X.numpy()[:, :2], first[codes[:, 0]], second[codes[:, 1]]])
    assert expected.shape[1] == embeddings.n_outputs == 2 + 3 + 3
    np.testing.assert_array_equal(embeddings(X).detach().numpy(), expected)


def test_network_equals_a_linear_one_on_one_hot_codes(embeddings):
    """Values and gradients: an embedding is a linear layer on one-hot codes."""
    mlp = MLP.from_specs(SPEC, TARGET, (5,), "tanh")
    mlp.initialize_weights(np.random.RandomState(0))
    mlp(X).square().sum().backward()
    codes = X[:, 2:].long()
    matrices = [t.weight.detach().clone().requires_grad_() for t in mlp.embeddings.tables]
    vectors = [
        torch.nn.functional.one_hot(codes[:, i], len(matrix)).double() @ matrix
        for i, matrix in enumerate(matrices)
    ]
    first, last = mlp.linears
    output = last(torch.tanh(first(torch.cat([X[:, :2], *vectors], 1))))
    assert torch.allclose(mlp(X), output, rtol=1e-12)
    output.square().sum().backward()
    for matrix, table in zip(matrices, mlp.embeddings.tables, strict=True):
        assert torch.allclose(matrix.grad[1:], table.weight.grad[1:], rtol=1e-12)
        assert table.weight.grad[1:].any()
        assert not table.weight.grad[0].any()


def test_the_unknown_level_has_a_zero_vector_and_keeps_it():
    mlp = MLP.from_specs(SPEC, TARGET, (5,))
    mlp.initialize_weights(np.random.RandomState(0))
    before = mlp.embeddings.tables[0].weight.detach().clone()
    optimizer = torch.optim.Adam(mlp.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        loss = mlp(X).square().sum() + sum(p.square().sum() for p in mlp.get_penalized())
        loss.backward()
        optimizer.step()
    after = mlp.embeddings.tables[0].weight.detach()
    assert (after != before)[1:].all()
    for table in mlp.embeddings.tables:
        assert not table.weight[0].any()


def test_an_unknown_level_is_predicted_between_the_known_ones():
    """Levels shift y by -1, 0 and 1; nothing is known of a new one but that it is one."""
    state = np.random.RandomState(0)
    codes = state.randint(1, 4, 300)
    rows = torch.from_numpy(np.column_stack([state.normal(size=300), codes]))
    y = rows[:, :1] + torch.from_numpy(codes)[:, None] - 2
    mlp = MLP.from_specs(InputSpec("table", 1, "float64", (4,)), TARGET, (20,))
    mlp.initialize_weights(state)
    optimizer = torch.optim.Adam(mlp.parameters(), lr=0.01)
    for _ in range(300):
        optimizer.zero_grad()
        (mlp(rows) - y).square().mean().backward()
        optimizer.step()
    with torch.no_grad():
        known = [float(mlp(torch.tensor([[0.0, code]]).double())) for code in (1, 2, 3)]
        unknown = float(mlp(torch.tensor([[0.0, 0.0]]).double()))
    assert known == pytest.approx([-1, 0, 1], abs=0.1)
    assert abs(unknown) < 0.5


def test_first_vectors_have_length_one_on_average_and_come_from_the_seed():
    tables = CategoryEmbeddings(0, (3000, 5), torch.float64)
    tables.initialize_weights(np.random.RandomState(3))
    vectors = tables.tables[0].weight.detach()[1:]
    assert vectors.square().sum(1).mean().item() == pytest.approx(1, abs=0.02)
    assert abs(vectors.mean().item()) < 0.002
    again = CategoryEmbeddings(0, (3000, 5), torch.float64)
    again.initialize_weights(np.random.RandomState(3))
    assert torch.equal(again.tables[1].weight, tables.tables[1].weight)


def test_building_and_drawing_leave_torchs_generator_alone():
    before = torch.get_rng_state()
    CategoryEmbeddings(2, (4, 3)).initialize_weights(np.random.RandomState(0))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("code", [-1.0, 4.0, 1.5, np.nan, np.inf, 1e30])
@pytest.mark.parametrize("training", [False, True])
def test_codes_that_are_none_are_refused(embeddings, code, training):
    wrong = X.clone()
    wrong[1, 2] = code
    message = r"Column 2 of the encoded X must hold whole numbers from 0 to 3.*; got .* in row 1"
    with pytest.raises(ValueError, match=message):
        embeddings.train(training)(wrong)


@pytest.mark.parametrize("n_columns", [3, 5])
def test_columns_must_be_as_many_as_were_told(embeddings, n_columns):
    with pytest.raises(ValueError, match=f"2 numeric columns and 2 of codes; got {n_columns}"):
        embeddings(torch.zeros(3, n_columns, dtype=torch.float64))


@pytest.mark.parametrize(("dtype", "largest"), [(torch.float32, 2**24), (torch.float64, 2**53)])
def test_cardinality_beyond_the_dtypes_whole_numbers_is_refused(dtype, largest):
    for wrong in (0, largest + 1):
        with pytest.raises(ValueError, match=f"from 1 to {largest}, .* holds every code; got"):
            CategoryEmbeddings(1, (3, wrong), dtype)


def test_numbers_may_be_missing_altogether():
    mlp = MLP.from_specs(InputSpec("table", 0, "float32", (4,)), TARGET, (5,))
    mlp.initialize_weights(np.random.RandomState(0))
    assert mlp(torch.tensor([[1.0], [0.0]])).shape == (2, 1)


def test_state_holds_the_vectors_alone(embeddings):
    assert list(embeddings.state_dict()) == ["tables.0.weight", "tables.1.weight"]
    again = CategoryEmbeddings(2, (4, 3), torch.float64)
    again.load_state_dict(embeddings.state_dict())
    assert torch.equal(again(X), embeddings(X))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_wrong_code_is_an_error_and_no_end_on_a_gpu(embeddings):
    module = embeddings.cuda()
    with pytest.raises(ValueError, match="whole numbers from 0 to 3"):
        module(X.cuda() + 9)
    assert module(X.cuda()).shape == (3, 8)
