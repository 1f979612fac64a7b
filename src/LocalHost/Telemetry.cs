using NodeStash.Core.Telemetry;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace NodeStash.LocalHost;

/// <summary>Exports traces and metrics by OTLP, where the standard variable OTEL_EXPORTER_OTLP_ENDPOINT says where to.</summary>
internal sealed class Telemetry : IDisposable
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string Everything = Instruments.Name + "*";

    private readonly TracerProvider? traces;
    private readonly MeterProvider? metrics;

    public Telemetry()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Endpoint))) return;
        var resource = ResourceBuilder.CreateDefault().AddService("nodestash");
        traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(Everything).AddOtlpExporter().Build();
        metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(Everything).AddOtlpExporter().Build();
    }

    public void Dispose()
    {
        traces?.Dispose();
        metrics?.Dispose();
    }
}
