using Azure.Core;
using Azure.Monitor.OpenTelemetry.Exporter;
using NodeStash.Core.Telemetry;

namespace NodeStash.Azure.Telemetry;

/// <summary>Application Insights, where APPLICATIONINSIGHTS_CONNECTION_STRING says which.</summary>
internal static class ApplicationInsights
{
    /// <param name="credential">Of the app's identity.</param>
    /// <returns>Null where the variable is not set.</returns>
    public static TelemetryTarget? Target(TokenCredential credential)
    {
        var connection = Environment.GetEnvironmentVariable("APPLICATIONINSIGHTS_CONNECTION_STRING");
        return string.IsNullOrEmpty(connection)
            ? null
            : new TelemetryTarget(traces => traces.AddAzureMonitorTraceExporter(To), metrics => metrics.AddAzureMonitorMetricExporter(To));

        void To(AzureMonitorExporterOptions options) => (options.ConnectionString, options.Credential) = (connection, credential);
    }
}
