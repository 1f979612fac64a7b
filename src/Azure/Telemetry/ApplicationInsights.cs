using Azure.Core;
using Azure.Monitor.OpenTelemetry.Exporter;
using NodeStash.Core.Telemetry;

namespace NodeStash.Azure.Telemetry;

/// <summary>Exports telemetry to Application Insights, if APPLICATIONINSIGHTS_CONNECTION_STRING is set.</summary>
internal static class ApplicationInsights
{
    /// <summary>Creates the target of the export.</summary>
    /// <param name="credential">The credential of the app's identity.</param>
    /// <returns>Null if the variable is not set.</returns>
    public static TelemetryTarget? Target(TokenCredential credential)
    {
        var connection = Environment.GetEnvironmentVariable("APPLICATIONINSIGHTS_CONNECTION_STRING");
        return string.IsNullOrEmpty(connection)
            ? null
            : new TelemetryTarget(traces => traces.AddAzureMonitorTraceExporter(To), metrics => metrics.AddAzureMonitorMetricExporter(To));

        void To(AzureMonitorExporterOptions options) => (options.ConnectionString, options.Credential) = (connection, credential);
    }
}
