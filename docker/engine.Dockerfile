# The worker: ledger, workflow, networks, the embedded Triton.
# Build from the root of the checkout: docker build -f docker/engine.Dockerfile -t radgen-engine:0.1.0 .
FROM python:3.11.14-slim-bookworm AS build
# Exactly one of cpu and gpu (docs/install.md). Leave `triton` out where TRITON_URL is always set.
ARG EXTRAS=engine,cpu,triton
# The main index serves a torch with CUDA libraries of several gigabytes that this image never uses:
# give the address of PyTorch's CPU index here (docs/install.md).
ARG TORCH_INDEX=
WORKDIR /src
RUN python -m venv /opt/radgen
COPY constraints.txt ./
RUN if [ -n "${TORCH_INDEX}" ]; then \
        /opt/radgen/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt \
        --extra-index-url "${TORCH_INDEX}" torch; fi
COPY pyproject.toml README.md LICENSE ./
COPY radgen radgen
COPY models models
COPY dicom_listener dicom_listener
COPY benchmarks benchmarks
RUN /opt/radgen/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt ".[${EXTRAS}]"
COPY triton_repo /opt/radgen/share/radgen/triton_repo

FROM python:3.11.14-slim-bookworm
RUN groupadd --gid 10001 radgen \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin radgen \
    && install -d -o 10001 -g 10001 -m 0750 /var/lib/radgen
COPY --from=build /opt/radgen /opt/radgen
ENV PATH=/opt/radgen/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 10001:10001
VOLUME ["/var/lib/radgen"]
# The embedded Triton needs 128 MiB of /dev/shm: docker run --shm-size=512m. It listens on a Unix
# socket in a private folder below /tmp and has no port.
# A real reading through whichever engine is in use, not an open port: the server says "ready" also
# when its python stub is dead. It opens an engine of its own beside the worker's, hence seldom.
HEALTHCHECK --interval=5m --timeout=60s --start-period=60s --retries=3 \
    CMD ["radgen", "health", "--config", "/etc/radgen/radgen.toml"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["radgen"]
CMD ["worker", "--config", "/etc/radgen/radgen.toml"]
