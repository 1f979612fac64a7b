using Microsoft.Extensions.Configuration;
using NodeStash.Core.Jobs;
using NodeStash.Core.Webhooks;

namespace NodeStash.Azure.Hosting;

/// <summary>
/// Reads the app settings of a deployment to Azure, by the names that the triggers use. local.settings.sample.json describes each.
/// </summary>
public sealed record AzureSettings
{
    private const string CreateSetting = "COSMOS_CREATE";

    /// <summary>The Cosmos DB account: its address, or the connection string of an emulator.</summary>
    public required Connection Cosmos { get; init; }

    /// <summary>The name of the database.</summary>
    public required string Database { get; init; }

    /// <summary>Whether the apps create the database and its containers; only for an emulator.</summary>
    public bool CreatesDatabase { get; init; }

    /// <summary>The queues of the storage account: their address, or the connection string of an emulator.</summary>
    public required Connection Queues { get; init; }

    /// <summary>The search server; null for none, then searches are refused.</summary>
    public SearchAccess? Search { get; init; }

    /// <summary>Key that seals secrets in the database; 32 bytes.</summary>
    public required byte[] SealingKey { get; init; }

    /// <summary>Client id of the app's identity; null if it has only one.</summary>
    public string? ClientId { get; init; }

    /// <summary>Secret for creating workspaces; null if nobody may.</summary>
    public string? OperatorSecret { get; init; }

    /// <summary>Maximum number of concurrent attempts at one webhook endpoint, per instance.</summary>
    public int WebhookConcurrency { get; init; }

    /// <summary>Reads and checks the settings.</summary>
    /// <exception cref="SettingsException">Some settings are missing or invalid; the message names all of them.</exception>
    public static AzureSettings Read(IConfiguration settings)
    {
        var errors = new List<string>();
        var read = new AzureSettings
        {
            Cosmos = Connection.Read(settings, "COSMOS", "accountEndpoint", "https://<account>.documents.azure.com:443/", errors),
            Database = settings["COSMOS_DATABASE"] is { Length: > 0 } database
                ? database
                : AddMissing("COSMOS_DATABASE", "the name of the database, e.g. nodestash"),
            Queues = Connection.Read(settings, JobQueue.Connection, "queueServiceUri", "https://<account>.queue.core.windows.net/", errors),
            Search = SearchAccess.Read(settings, errors),
            SealingKey = ReadKey(settings["SEALING_KEY"]),
            ClientId = settings["AZURE_CLIENT_ID"],
            OperatorSecret = settings[Core.Access.OperatorSecret.Setting],
            WebhookConcurrency = WebhookOptions.ReadConcurrency(settings[WebhookOptions.ConcurrencySetting], out var concurrencyFault),
        };
        read = read with { CreatesDatabase = ReadCreate(settings[CreateSetting], read.Cosmos) };
        if (concurrencyFault is not null) errors.Add(concurrencyFault);
        if (Core.Access.OperatorSecret.Check(read.OperatorSecret) is { } problem) errors.Add(problem);
        return errors.Count == 0 ? read : throw new SettingsException(errors);

        string AddMissing(string name, string expected)
        {
            errors.Add($"{name} is missing: {expected}");
            return "";
        }

        bool ReadCreate(string? text, Connection cosmos)
        {
            if (string.IsNullOrEmpty(text)) return false;
            if (!bool.TryParse(text, out var creates)) errors.Add($"{CreateSetting} will not do: expected true, or nothing");
            else if (creates && cosmos.Endpoint is not null)
                errors.Add($"{CreateSetting} is for emulators alone: remove it, infra/bicep makes the database of an account in Azure");
            return creates;
        }

        byte[] ReadKey(string? text)
        {
            const string Expected = "32 random bytes in Base64, e.g. of `openssl rand -base64 32`";
            var key = new byte[SecretBox.KeyBytes];
            if (string.IsNullOrEmpty(text)) AddMissing("SEALING_KEY", Expected);
            else if (!Convert.TryFromBase64String(text, new byte[text.Length], out var length) || length != key.Length)
                errors.Add($"SEALING_KEY will not do: expected {Expected}");
            else key = Convert.FromBase64String(text);
            return key;
        }
    }
}

/// <summary>Address of a service: an endpoint or a connection string.</summary>
/// <param name="Endpoint">The address, for access with the app's identity.</param>
/// <param name="Text">The connection string of an emulator, with its well-known key.</param>
public readonly record struct Connection(Uri? Endpoint, string? Text)
{
    /// <summary>Reads a connection.</summary>
    /// <param name="settings">The app settings.</param>
    /// <param name="name">The name of the connection in triggers.</param>
    /// <param name="member">The last part of the setting with the address, after <c>name__</c>.</param>
    /// <param name="form">An example of the address.</param>
    /// <param name="errors">Receives errors.</param>
    internal static Connection Read(IConfiguration settings, string name, string member, string form, List<string> errors)
    {
        var (text, address) = (settings[name], settings[$"{name}:{member}"]);
        if (!string.IsNullOrEmpty(text))
        {
            // Only emulators need keys. Accounts in Azure are deployed without them.
            if (text.Contains(".azure.", StringComparison.OrdinalIgnoreCase) || text.Contains("core.windows.net", StringComparison.OrdinalIgnoreCase))
                errors.Add($"{name} is a connection string with a key, which is for emulators alone: remove it, set {name}__{member} ({form}) and "
                    + $"give the app's identity a role");
            return new Connection(null, text);
        }

        if (string.IsNullOrEmpty(address)) errors.Add($"{name}__{member} is missing: {form} (for an emulator, {name} with its connection string)");
        else if (!Uri.TryCreate(address, UriKind.Absolute, out var endpoint) || endpoint.Scheme != Uri.UriSchemeHttps)
            errors.Add($"{name}__{member} is not an address: expected {form}");
        else return new Connection(endpoint, null);
        return default;
    }
}

/// <summary>Address and key of the search server.</summary>
/// <param name="Url">The address.</param>
/// <param name="Key">The API key.</param>
public sealed record SearchAccess(Uri Url, string Key)
{
    internal static SearchAccess? Read(IConfiguration settings, List<string> errors)
    {
        var (address, key) = (settings["SEARCH_URL"], settings["SEARCH_KEY"]);
        if (string.IsNullOrEmpty(address)) return null;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp))
            errors.Add("SEARCH_URL is not an address: expected https://<server>/, or nothing where there is no search server");
        else if (string.IsNullOrEmpty(key)) errors.Add("SEARCH_KEY is missing: the key of the search server at SEARCH_URL");
        else return new SearchAccess(url, key);
        return null;
    }
}

/// <summary>Some app settings are missing or invalid, so the app can't start.</summary>
/// <param name="errors">One message for each setting: its name, then the expected value.</param>
public sealed class SettingsException(
    IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors.Prepend("The app settings will not do:")))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
