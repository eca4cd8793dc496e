# The DICOM listener alone: no network of neurons, no database driver.
# Build from the root of the checkout: docker build -f docker/listener.Dockerfile -t radgen-listener:0.1.0 .
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/radgen
# The packages first: they change more seldom than our own code.
COPY constraints.txt ./
RUN /opt/radgen/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt \
        numpy pydantic pydicom pynetdicom rich typer typing-extensions
COPY pyproject.toml README.md LICENSE ./
COPY dicom_listener dicom_listener
# `models` stays outside: the listener may not import it, and its weights are most of the wheel.
COPY radgen radgen
RUN /opt/radgen/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt .

FROM python:3.11.14-slim-bookworm
RUN groupadd --gid 10001 radgen \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin radgen \
    && install -d -o 10001 -g 10001 -m 0750 /var/lib/radgen
COPY --from=build /opt/radgen /opt/radgen
ENV PATH=/opt/radgen/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
# Everything that must outlive the container is here; the rest of the file system may be read-only.
VOLUME ["/var/lib/radgen"]
EXPOSE 11112
# A real C-ECHO: association, service, release.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 \
    CMD ["dicom-listener", "health", "--port", "11112", "--aet", "RADGEN"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["dicom-listener"]
CMD ["--config", "/etc/radgen/radgen.toml"]
