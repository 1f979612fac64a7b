using Azure.Core;
using Azure.Monitor.OpenTelemetry.Exporter;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace NodeStash.Core.Telemetry;

/// <summary>
/// Exports traces and metrics: by OTLP where the standard variable OTEL_EXPORTER_OTLP_ENDPOINT says where to, to Application Insights where
/// APPLICATIONINSIGHTS_CONNECTION_STRING does; else nothing is measured. What is left is sent when it is disposed of.
/// </summary>
public sealed class TelemetryExport : IDisposable
{
    private const string Everything = Instruments.Name + "*";

    private readonly TracerProvider? traces;
    private readonly MeterProvider? metrics;

    /// <param name="service">The program, as it is called where the telemetry goes.</param>
    /// <param name="credential">For Application Insights; null where there is none.</param>
    public TelemetryExport(string service, TokenCredential? credential = null)
    {
        var byOtlp = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT"));
        var insights = credential is null ? null : Environment.GetEnvironmentVariable("APPLICATIONINSIGHTS_CONNECTION_STRING");
        if (byOtlp || !string.IsNullOrEmpty(insights)) (traces, metrics) = Start(ResourceBuilder.CreateDefault().AddService(service, serviceVersion: ProductVersion.Text), byOtlp, insights, credential);
    }

    public void Dispose()
    {
        traces?.Dispose();
        metrics?.Dispose();
    }

    private static (TracerProvider Traces, MeterProvider Metrics) Start(ResourceBuilder service, bool byOtlp, string? insights, TokenCredential? credential)
    {
        var (traces, metrics) = (Sdk.CreateTracerProviderBuilder().SetResourceBuilder(service).AddSource(Everything), Sdk.CreateMeterProviderBuilder().SetResourceBuilder(service).AddMeter(Everything));
        if (byOtlp) (traces, metrics) = (traces.AddOtlpExporter(), metrics.AddOtlpExporter());
        if (!string.IsNullOrEmpty(insights)) (traces, metrics) = (traces.AddAzureMonitorTraceExporter(To), metrics.AddAzureMonitorMetricExporter(To));
        return (traces.Build(), metrics.Build());

        void To(AzureMonitorExporterOptions options) => (options.ConnectionString, options.Credential) = (insights!, credential);
    }
}
