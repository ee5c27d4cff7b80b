# The build stage makes the wheel and a virtual environment with what the daemon needs, all by hash.
FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /build && /build/bin/pip install --require-hashes -r requirements.lock
COPY deploy/requirements.lock deploy/requirements.lock
RUN python -m venv /app && /app/bin/pip install --require-hashes -r deploy/requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY inventory_sync inventory_sync
COPY migrations migrations
RUN /build/bin/python -m hatchling build --target wheel --directory /wheels \
 && /app/bin/pip install --no-deps --no-index /wheels/*.whl \
 && /app/bin/python -m compileall -q /app/lib

FROM python:3.12-slim-bookworm
RUN groupadd --system --gid 10001 inventory-sync \
 && useradd --system --uid 10001 --gid inventory-sync --home-dir /data --no-create-home inventory-sync \
 && install -d -o inventory-sync -g inventory-sync -m 0700 /data
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 INVENTORY_SYNC_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
# 8080: notices, callbacks, health. 8081: console, API, metrics (on loopback unless INVENTORY_SYNC_ADMIN_HOST says otherwise).
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ.get('INVENTORY_SYNC_HTTP_PORT', '8080') + '/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["inventory-sync", "serve"]
