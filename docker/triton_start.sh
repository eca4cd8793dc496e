#!/usr/bin/env bash
# Starts the server with its administrative protocols shut behind a key that nobody is told: who can
# load a model or set the log file can run code. Options of the caller come last and win.
set -euo pipefail
models=(--load-model=vision_encoder)
if [ -e "${RADGEN_PACK_FOLDER}/report_decoder.onnx" ]; then
    models+=(--load-model=report_decoder --load-model=draft_report)
fi
key="$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')"
exec tritonserver \
    --model-repository=/models \
    --model-config-name=gpu \
    --model-control-mode=explicit \
    "${models[@]}" \
    --disable-auto-complete-config \
    --strict-readiness=true \
    --exit-timeout-secs=10 \
    --log-format=ISO8601 \
    --allow-metrics=false \
    --http-address=127.0.0.1 \
    --allow-client-shm="${ALLOW_CLIENT_SHM:-false}" \
    --grpc-restricted-protocol="model-repository,model-config,shared-memory,statistics,trace,logging:admin=${key}" \
    --backend-config=python,shm-default-byte-size=16777216 \
    --backend-config=python,shm-growth-byte-size=16777216 \
    "$@"
