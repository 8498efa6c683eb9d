# Build the image: one environment with the locked requirements and this project, without the tools that build it.
#
#   make desk-script    # with it the desk's pages open concerns in the browser; needs npm
#   make image          # builds from the digest of the base image, and says which. Without make:
#   docker build --tag one-minute-guide --build-arg COMMIT="$(git rev-parse HEAD)" --build-arg PYTHON_IMAGE=python@sha256:... .
#   docker run --publish 8000:8000 --volume guidance-data:/data --env GUIDANCE_SEAL_TO=age1... one-minute-guide
#
# For a trial, without recipients: docker run --publish 127.0.0.1:8000:8000 one-minute-guide guidance serve --host 0.0.0.0 --trial

ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS builder
WORKDIR /build
# The environment has no pip. The pip of the base image installs into it.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_PYTHON=/opt/venv/bin/python
COPY requirements/serve.txt requirements/
RUN python3 -m venv --without-pip /opt/venv \
    && python3 -m pip install --require-hashes --only-binary :all: --requirement requirements/serve.txt
COPY pyproject.toml hatch_build.py LICENSE NOTICE.md ./
COPY one_minute_guide/ one_minute_guide/
COPY app/ app/
COPY seed/ seed/
COPY trial_seed/ trial_seed/
# The version between two releases has the commit, as the wheel does.
ARG COMMIT=unknown
# Remove the two packages that build the project. 'pip check' fails if another package needs them.
RUN GUIDANCE_COMMIT=${COMMIT} python3 -m pip install --no-deps --no-build-isolation . \
    && python3 -m pip uninstall --yes editables hatchling \
    && python3 -m pip check

FROM ${PYTHON_IMAGE}
# Name the user by number, so that a platform that refuses root can check it. Remove the pip of the base image.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin guidance \
    && install --directory --owner guidance --group guidance --mode 0700 /data \
    && rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/site-packages/pip*
COPY --from=builder /opt/venv /opt/venv
ARG COMMIT=unknown
LABEL org.opencontainers.image.revision=${COMMIT} \
    org.opencontainers.image.title="One Minute Guide" \
    org.opencontainers.image.licenses=MIT
ENV PATH=/opt/venv/bin:$PATH \
    GUIDANCE_COMMIT=${COMMIT} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GUIDANCE_DATA_DIR=/data
WORKDIR /data
VOLUME /data
EXPOSE 8000
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["guidance", "health"]
CMD ["guidance", "serve", "--host", "0.0.0.0"]
