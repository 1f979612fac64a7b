using Microsoft.Extensions.Configuration;
using NodeStash.Azure.Hosting;

namespace NodeStash.Azure.Tests.Hosting;

public sealed class AzureSettingsTests
{
    private static readonly Dictionary<string, string?> sound = new()
    {
        ["COSMOS:accountEndpoint"] = "https://crm.documents.azure.com:443/",
        ["COSMOS_DATABASE"] = "nodestash",
        ["JOBS:queueServiceUri"] = "https://crm.queue.core.windows.net/",
        ["SEALING_KEY"] = Convert.ToBase64String(new byte[32]),
    };

    [Fact]
    public void With_an_identity_addresses_are_enough()
    {
        var settings = Read([]);

        Assert.Equal(new Connection(new Uri("https://crm.documents.azure.com:443/"), null), settings.Cosmos);
        Assert.Equal(new Connection(new Uri("https://crm.queue.core.windows.net/"), null), settings.Queues);
        Assert.Equal("nodestash", settings.Database);
        Assert.Equal(8, settings.WebhookConcurrency);
    }

    [Fact]
    public void An_emulator_is_named_by_its_connection_string() =>
        Assert.Equal(new Connection(null, "UseDevelopmentStorage=true"),
            Read(new() { ["JOBS"] = "UseDevelopmentStorage=true", ["JOBS:queueServiceUri"] = null }).Queues);

    [Theory]
    [InlineData("true", true)]
    [InlineData("false", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void The_database_of_an_emulator_is_made_where_the_settings_say_so(string? value, bool creates) =>
        Assert.Equal(creates, Read(new()
        {
            ["COSMOS"] = "AccountEndpoint=http://127.0.0.1:8081/;AccountKey=AAAA",
            ["COSMOS:accountEndpoint"] = null,
            ["COSMOS_CREATE"] = value,
        }).CreatesDatabase);

    [Fact]
    public void Everything_that_is_missing_is_named_at_once() =>
        Assert.Equal(
            ["COSMOS__accountEndpoint", "COSMOS_DATABASE", "JOBS__queueServiceUri", "SEALING_KEY"],
            ErrorsOf(sound.Keys.ToDictionary(name => name, _ => (string?)"")).Select(problem => problem[..problem.IndexOf(' ', StringComparison.Ordinal)]));

    [Theory]
    [InlineData("COSMOS:accountEndpoint", "crm.documents.azure.com",
        "COSMOS__accountEndpoint is not an address: expected https://<account>.documents.azure.com:443/")]
    [InlineData("COSMOS:accountEndpoint", "http://crm.documents.azure.com",
        "COSMOS__accountEndpoint is not an address: expected https://<account>.documents.azure.com:443/")]
    [InlineData("COSMOS_CREATE", "true", "COSMOS_CREATE is for emulators alone: remove it, infra/bicep makes the database of an account in Azure")]
    [InlineData("COSMOS_CREATE", "yes", "COSMOS_CREATE will not do: expected true, or nothing")]
    [InlineData("SEALING_KEY", "short", "SEALING_KEY will not do: expected 32 random bytes in Base64, e.g. of `openssl rand -base64 32`")]
    [InlineData("SEALING_KEY", "AAAA", "SEALING_KEY will not do: expected 32 random bytes in Base64, e.g. of `openssl rand -base64 32`")]
    [InlineData("SEARCH_URL", "search.internal", "SEARCH_URL is not an address: expected https://<server>/, or nothing where there is no search server")]
    [InlineData("SEARCH_URL", "http://search.internal", "SEARCH_KEY is missing: the key of the search server at SEARCH_URL")]
    [InlineData("NODESTASH_OPERATOR_SECRET", "guess",
        "NODESTASH_OPERATOR_SECRET is too short: expected 32 random characters or more, e.g. of `openssl rand -hex 32`")]
    [InlineData("NODESTASH_WEBHOOK_CONCURRENCY", "0", "NODESTASH_WEBHOOK_CONCURRENCY will not do: expected a whole number from 1 to 64")]
    [InlineData("NODESTASH_WEBHOOK_CONCURRENCY", "many", "NODESTASH_WEBHOOK_CONCURRENCY will not do: expected a whole number from 1 to 64")]
    public void What_will_not_do_is_named_with_what_is_expected(string setting, string value, string problem) =>
        Assert.Equal([problem], ErrorsOf(new() { [setting] = value }));

    [Theory]
    [InlineData("COSMOS", "AccountEndpoint=https://crm.documents.azure.com:443/;AccountKey=c2VjcmV0")]
    [InlineData("JOBS", "DefaultEndpointsProtocol=https;AccountName=crm;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net")]
    public void A_key_to_an_account_in_Azure_is_refused_and_not_repeated(string setting, string text)
    {
        var problem = Assert.Single(ErrorsOf(new() { [setting] = text }));

        Assert.StartsWith($"{setting} is a connection string with a key, which is for emulators alone", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0", problem, StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> ErrorsOf(Dictionary<string, string?> changes) => Assert.Throws<SettingsException>(() => Read(changes)).Errors;

    private static AzureSettings Read(Dictionary<string, string?> changes) =>
        AzureSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(sound).AddInMemoryCollection(changes).Build());
}
