# The page: worklist and one study, read only.
# Build from the root of the checkout: docker build -f docker/review.Dockerfile -t radgen-review:0.1.0 .
FROM python:3.11.14-slim-bookworm AS build
ARG EXTRAS=review
WORKDIR /src
RUN python -m venv /opt/radgen
COPY constraints.txt ./
COPY pyproject.toml README.md LICENSE ./
COPY radgen radgen
COPY models models
COPY dicom_listener dicom_listener
COPY benchmarks benchmarks
RUN /opt/radgen/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt ".[${EXTRAS}]"

FROM python:3.11.14-slim-bookworm
RUN groupadd --gid 10001 radgen \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin radgen \
    && install -d -o 10001 -g 10001 -m 0750 /var/lib/radgen
COPY --from=build /opt/radgen /opt/radgen
ENV PATH=/opt/radgen/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 10001:10001
VOLUME ["/var/lib/radgen"]
EXPOSE 8480
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8480/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["radgen"]
CMD ["review", "--config", "/etc/radgen/radgen.toml"]
