# A studio in a container: docker build -t studio . ; docs/hosting.md says how it is run.
FROM python:3.11-slim
RUN useradd --create-home studio
WORKDIR /app
COPY requirements.txt .
# Without a GPU the wheels for the CPU would do; the ones that pip finds run on both.
RUN pip install --no-cache-dir -r requirements.txt
COPY app.py README.md LICENSE NOTICE spaces.yaml ./
COPY engine engine
COPY ui ui
RUN mkdir -p /srv/studio && chown studio /srv/studio
USER studio
ENV STUDIO_HOME=/srv/studio STUDIO_HOST=0.0.0.0 PYTHONUNBUFFERED=1
VOLUME /srv/studio
EXPOSE 7860
HEALTHCHECK --interval=30s --start-period=120s CMD ["python", "-c", \
  "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/health')"]
# Python is the process that gets SIGTERM: it keeps what is under way within ten seconds.
CMD ["python", "app.py"]
