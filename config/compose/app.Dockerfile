# The example application: the SDK, the recorder, and nothing else. The build context `recorder` is
# the folder of that name in the sources (compose.yaml).
FROM python:3.13-slim
COPY --from=recorder . /src/recorder
RUN python -m pip install --quiet --no-cache-dir openai /src/recorder
COPY app.py /app.py
ENV PYTHONUNBUFFERED=1
CMD ["python", "/app.py"]
