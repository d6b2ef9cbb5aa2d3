# A bot or a worker, for backends that are servers of their own: without PyTorch, and so without “diffusers”.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements-build.lock requirements-host.lock ./
RUN python -m venv --without-pip /opt/easel \
 && python -m pip install --require-hashes -r requirements-build.lock \
 && python -m pip --python /opt/easel install --require-hashes --only-binary :all: -r requirements-host.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY cogs cogs
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && python -m pip --python /opt/easel install --no-deps dist/easel-*.whl

FROM python:3.11-slim
# The number is fixed: whoever owns a mounted folder is known by it.
RUN groupadd --gid 10001 easel \
 && useradd --uid 10001 --gid easel --no-create-home --home-dir /data --shell /usr/sbin/nologin easel \
 && install --directory --owner easel --group easel --mode 700 /data
COPY --from=build /opt/easel /opt/easel
ENV PATH=/opt/easel/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    EASEL_DATA_DIR=/data \
    EASEL_METRICS=127.0.0.1:9464
USER 10001:10001
WORKDIR /data
VOLUME /data
STOPSIGNAL SIGTERM
# Without a proxy that the environment may name, and without the bot's own imports.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "from http.client import HTTPConnection; from os import environ; c = HTTPConnection('127.0.0.1', int(environ['EASEL_METRICS'].rpartition(':')[2]), timeout=4); c.request('GET', '/healthz'); exit(c.getresponse().status != 200)"]
ENTRYPOINT ["easel"]
CMD ["run"]
