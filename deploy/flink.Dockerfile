# docker build -f deploy/flink.Dockerfile -t tidegate-flink:0.1.0 .
# Flink, with the interpreter that runs a flow's stages; and the command that submits them.
FROM flink:2.2.1-java17
ENV XDG_CACHE_HOME=/opt/cache NUMBA_CACHE_DIR=/opt/tidegate/kernels
WORKDIR /build
COPY requirements/server.txt requirements/server.txt
RUN apt-get update && apt-get install -y --no-install-recommends python3.11 python3.11-venv maven openjdk-17-jdk-headless \
 && rm -rf /var/lib/apt/lists/* && python3.11 -m venv /opt/tidegate \
 && /opt/tidegate/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements/server.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY src src
RUN /opt/tidegate/bin/pip install --no-cache-dir --no-deps --no-build-isolation .
# PyFlink's environment, at a place with one name; Tidegate is put on its path.
RUN /opt/tidegate/bin/python -c "from tidegate.connectors.flink.environment import environment as e; print(e(print).folder)" \
 && ln -s $(dirname /opt/cache/tidegate/flink-2.2.1-*/complete) /opt/stages \
 && mkdir /opt/overlay && ln -s /opt/tidegate/lib/python3.11/site-packages/tidegate /opt/overlay/tidegate \
 && echo /opt/overlay > /opt/stages/lib/python3.11/site-packages/tidegate.pth \
 && mkdir -p /opt/tidegate/kernels /state && chown -R flink /opt/cache /opt/tidegate/kernels /state
ENV PATH=/opt/tidegate/bin:$PATH
USER flink
WORKDIR /state
