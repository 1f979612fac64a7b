using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace NodeStash.Core.Telemetry;

/// <summary>
/// Exports traces and metrics by OTLP if the standard variable OTEL_EXPORTER_OTLP_ENDPOINT is set, and to the target of the program if it has one.
/// Without either, nothing is measured.
/// </summary>
public sealed class TelemetryExport : IDisposable
{
    private const string Everything = Instruments.Name + "*";

    private readonly TracerProvider? traces;
    private readonly MeterProvider? metrics;

    /// <summary>Starts the export.</summary>
    /// <param name="service">The name of the program in the telemetry.</param>
    /// <param name="target">A target besides OTLP; null for none.</param>
    public TelemetryExport(string service, TelemetryTarget? target = null)
    {
        var byOtlp = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT"));
        if (byOtlp || target is not null)
            (traces, metrics) = Start(ResourceBuilder.CreateDefault().AddService(service, serviceVersion: ProductVersion.Text), byOtlp, target);
    }

    /// <summary>Sends the remaining telemetry and stops the export.</summary>
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

/// <summary>Adds exporters for a target besides OTLP.</summary>
/// <param name="Traces">Adds the exporter of traces.</param>
/// <param name="Metrics">Adds the exporter of metrics.</param>
public sealed record TelemetryTarget(Action<TracerProviderBuilder> Traces, Action<MeterProviderBuilder> Metrics);
