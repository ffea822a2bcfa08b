# The example application: the SDK, the recorder, and nothing else. The build context `recorder` is
# the folder of that name in the sources (compose.yaml).
FROM python:3.13-slim
COPY --from=recorder . /src/recorder
RUN pip install --quiet --no-cache-dir openai /src/recorder \
    # A new volume takes this folder's owner and mode: the daemon's, and what its group appends.
    && install -d -o 9470 -g 9470 -m 2770 /var/lib/demurrage-events
COPY app.py /app.py
ENV PYTHONUNBUFFERED=1
CMD ["python", "/app.py"]
