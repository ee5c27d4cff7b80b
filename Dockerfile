# The build stage makes the wheel and a virtual environment with what the daemon needs, all by hash.
FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /build && /build/bin/pip install --require-hashes -r requirements.lock
COPY deploy/requirements.lock deploy/requirements.lock
RUN python -m venv --without-pip /app && /build/bin/pip --python /app install --no-compile --require-hashes -r deploy/requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY inventory_sync inventory_sync
COPY migrations migrations
# The copy below may round time stamps, so the byte code is made not to be compared with those of its sources.
RUN /build/bin/python -m hatchling build --target wheel --directory /wheels \
 && /build/bin/pip --python /app install --no-compile --no-deps --no-index /wheels/*.whl \
 && /app/bin/python -m compileall -q --invalidation-mode unchecked-hash /app/lib

FROM python:3.12-slim-bookworm
RUN groupadd --gid 10001 inventory-sync \
 && useradd --uid 10001 --gid inventory-sync --home-dir /data --no-create-home --shell /usr/sbin/nologin inventory-sync \
 && install -d -o inventory-sync -g inventory-sync -m 0700 /data
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 INVENTORY_SYNC_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
# 8080: notices, callbacks, health. 8081: console, API, metrics (on loopback unless INVENTORY_SYNC_ADMIN_HOST says otherwise).
EXPOSE 8080 8081
# By http.client, which no proxy variable of the environment leads astray.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-I", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('INVENTORY_SYNC_HTTP_PORT') or 8080), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
STOPSIGNAL SIGTERM
CMD ["inventory-sync", "serve"]
