# The inference server on a GPU: the same triton_repo as the embedded one, profile `gpu`.
# Build from the root of the checkout: docker build -f docker/triton.Dockerfile -t radgen-triton:0.1.0 .
# Run with: --gpus 1 --shm-size=2g --ulimit memlock=-1 --ulimit stack=67108864 (docker/compose.yaml does).
# Docker's own 64 MiB of /dev/shm kill the python backend.
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY models models
RUN python -m pip wheel --no-cache-dir --disable-pip-version-check --no-deps --wheel-dir /wheels .

FROM nvcr.io/nvidia/tritonserver:26.11-py3
COPY constraints.txt /tmp/
COPY --from=build /wheels /tmp/wheels
# Into the interpreter of the python stub (/usr/bin/python3, 3.12): no path is changed for it, some
# stubs run isolated and ignore PYTHONPATH. numpy 1.26 because model.py refuses another.
# The wheel is ours without its dependencies: what it serves needs numpy and onnxruntime, not DICOM, not torch.
RUN python3 -m pip install --no-cache-dir --disable-pip-version-check --break-system-packages \
        -c /tmp/constraints.txt numpy onnxruntime \
    && python3 -m pip install --no-cache-dir --disable-pip-version-check --break-system-packages \
        --no-deps /tmp/wheels/*.whl \
    && rm -r /tmp/wheels /tmp/constraints.txt
COPY triton_repo /models
ARG PACK=cxr-adult
# The encoder's onnx of the pack, where the onnxruntime backend looks for it.
COPY models/packs/${PACK} /packs/${PACK}
RUN ln -s "/packs/${PACK}/vision_encoder.onnx" /models/vision_encoder/1/model.onnx \
    && groupadd --gid 10001 radgen \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin radgen
ENV RADGEN_PACK_FOLDER=/packs/${PACK} PYTHONDONTWRITEBYTECODE=1
COPY docker/triton_health.py docker/triton_start.sh /usr/local/lib/radgen/
USER 10001:10001
# gRPC for the engine alone, on a network that nothing else can reach. HTTP listens on the loopback
# of the container, for the health check; metrics are off. Shared memory of clients is off: an image
# of 264 KiB travels in the message (ALLOW_CLIENT_SHM=true for an engine in the same IPC namespace).
EXPOSE 8001
# A real inference: the server's own health stays READY when a python stub has died.
HEALTHCHECK --interval=30s --timeout=20s --start-period=120s --retries=3 \
    CMD ["python3", "/usr/local/lib/radgen/triton_health.py"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["bash", "/usr/local/lib/radgen/triton_start.sh"]
