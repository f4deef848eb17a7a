"""``python -m sknn`` prints versions, devices and fast ways of training."""

from sknn._versions import show_versions

if __name__ == "__main__":
    show_versions()
