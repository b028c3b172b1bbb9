#!/usr/bin/env bash
# Makes an environment for benchmarks/jod.py in a folder of its own:
#
#     benchmarks/jod_environment.sh FOLDER
#     FOLDER/bin/python benchmarks/jod.py PAIRS.json
#
# An environment of its own because ColorVideoVDP asks for torchvision, which has no CPU build that fits this
# torch. Where none can be imported, benchmarks/jod_torchvision.py stands in for the one class that is used.
# PYTHON names the interpreter (python3), TORCH and CVVDP what pip installs. On Linux, plain torch may bring gigabytes
# of CUDA; point pip at the index of CPU builds first.
set -euo pipefail

if [[ $# -ne 1 || $1 == -* ]]; then
    echo "usage: $0 FOLDER" >&2
    exit 2
fi
folder=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=$folder/bin/python

"${PYTHON:-python3}" -m venv "$folder"
"$python" -m pip install --quiet "${TORCH:-torch==2.13.0}"
"$python" -m pip install --quiet numpy scipy imageio pillow ffmpeg-python tqdm einops huggingface_hub
# without its dependencies: they name torchvision, and matplotlib, PyEXR and ffmpeg, which no pair of images needs
"$python" -m pip install --quiet --no-deps "${CVVDP:-cvvdp==0.5.7}"

if ! "$python" -c "import torchvision" 2>/dev/null; then
    package=$("$python" -c "import sysconfig; print(sysconfig.get_path('purelib'))")/torchvision
    mkdir -p "$package"
    cp "$here/jod_torchvision.py" "$package/__init__.py"
    echo "from torchvision import GaussianBlur as GaussianBlur" >"$package/transforms.py"
    echo "from torchvision import MLP as MLP" >"$package/ops.py"
fi
"$python" -c "import pycvvdp"
