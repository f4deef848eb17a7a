"""Averaged weights, patience that grows, a limit of time, and networks side by side."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sknn._specs import Sample
from sknn.engine import train
from sknn.engine._averaging import PARTS
from sknn.engine._losses import MeanLoss
from tests.engine.configs import config_for, plan_for
