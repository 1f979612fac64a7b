using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace NodeStash.Core.Telemetry;

/// <summary>
/// Exports traces and metrics: by OTLP where the standard variable OTEL_EXPORTER_OTLP_ENDPOINT says where to, and to what else the program names;
/// else nothing is measured. What is left is sent when it is disposed of.
/// </summary>
public sealed class TelemetryExport : IDisposable
{
    private const string Everything = Instruments.Name + "*";

    private readonly TracerProvider? traces;
    private readonly MeterProvider? metrics;

    /// <param name="service">The program, as it is called where the telemetry goes.</param>
    /// <param name="target">Where it goes besides; null where there is nothing else.</param>
    public TelemetryExport(string service, TelemetryTarget? target = null)
    {
        var byOtlp = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT"));
        if (byOtlp || target is not null)
            (traces, metrics) = Start(ResourceBuilder.CreateDefault().AddService(service, serviceVersion: ProductVersion.Text), byOtlp, target);
    }

    public void Dispose()
    {
        traces?.Dispose();
        metrics?.Dispose();
    }

    private static (TracerProvider Traces, MeterProvider Metrics) Start(ResourceBuilder service, bool byOtlp, TelemetryTarget? target)
    {
        var traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(service).AddSource(Everything);
        var metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(service).AddMeter(Everything);
        if (byOtlp) (traces, metrics) = (traces.AddOtlpExporter(), metrics.AddOtlpExporter());
        target?.Traces(traces);
        target?.Metrics(metrics);
        return (traces.Build(), metrics.Build());
    }
}

/// <summary>Where telemetry goes besides OTLP: adds its exporters.</summary>
/// <param name="Traces">To what exports traces.</param>
/// <param name="Metrics">To what exports metrics.</param>
public sealed record TelemetryTarget(Action<TracerProviderBuilder> Traces, Action<MeterProviderBuilder> Metrics);
