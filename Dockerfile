# One image for migrate, web, worker and beat; the command decides.
# An intranet mirror or a domestic base image goes in by --build-arg (docs/deployment.md).
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
# The wheelhouse always holds its README; wheels are in it only where the build has no network.
COPY requirements.lock .deploy/wheelhouse/ /build/
RUN python -m venv /venv && \
    if ls *.whl >/dev/null 2>&1; then offline="--no-index --find-links /build"; else offline=""; fi && \
    /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes $offline -r requirements.lock

FROM ${PYTHON_IMAGE}
# For printed PDF: --build-arg PACKAGES="libreoffice-writer fonts-noto-cjk"
ARG PACKAGES=""
RUN if [ -n "$PACKAGES" ]; then \
      apt-get update && apt-get install -y --no-install-recommends $PACKAGES && rm -rf /var/lib/apt/lists/*; \
    fi && \
    useradd --system --uid 10001 --user-group --home-dir /app --shell /usr/sbin/nologin eduaid && \
    install -d -o eduaid -g eduaid -m 0700 /var/lib/eduaid
COPY --from=build /venv /venv
WORKDIR /app
COPY . /app
# Static files belong to the image, sealed files to the volume: an upgrade replaces the former and keeps the latter.
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    EDUAID_STATE=/app/.local \
    EDUAID_FILES=/var/lib/eduaid/files
RUN EDUAID_SECRET_KEY=for-the-build-only python manage.py collectstatic --noinput && chmod -R a+rX /app
USER eduaid
VOLUME /var/lib/eduaid
EXPOSE 8000
CMD ["gunicorn", "eduaid.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "sync", "--workers", "3", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--timeout", "120"]
