using Microsoft.Extensions.Configuration;
using NodeStash.Core.Jobs;
using NodeStash.Core.Webhooks;

namespace NodeStash.Azure.Hosting;

/// <summary>
/// What a deployment to Azure is told by its app settings, by the names that the triggers use. Each is described in local.settings.sample.json.
/// </summary>
public sealed record AzureSettings
{
    private const string CreateSetting = "COSMOS_CREATE";

    /// <summary>The Cosmos DB account: its address, or the connection string of an emulator.</summary>
    public required Connection Cosmos { get; init; }

    /// <summary>The name of the database.</summary>
    public required string Database { get; init; }

    /// <summary>Whether the apps make the database and its containers: in an emulator alone.</summary>
    public bool CreatesDatabase { get; init; }

    /// <summary>The queues of the storage account: their address, or the connection string of an emulator.</summary>
    public required Connection Queues { get; init; }

    /// <summary>The search server; null where there is none, and searches are refused.</summary>
    public SearchAccess? Search { get; init; }

    /// <summary>Seals secrets in the database; 32 bytes.</summary>
    public required byte[] SealingKey { get; init; }

    /// <summary>The app's identity, where it has several; null for the only one.</summary>
    public string? ClientId { get; init; }

    /// <summary>Makes workspaces; null where nobody may.</summary>
    public string? OperatorSecret { get; init; }

    /// <summary>Attempts at one webhook endpoint at the same time, in one instance.</summary>
    public int WebhookConcurrency { get; init; }

    /// <exception cref="SettingsException">Names every setting that is missing or will not do.</exception>
    public static AzureSettings Read(IConfiguration settings)
    {
        var errors = new List<string>();
        var read = new AzureSettings
        {
            Cosmos = Connection.Read(settings, "COSMOS", "accountEndpoint", "https://<account>.documents.azure.com:443/", errors),
            Database = settings["COSMOS_DATABASE"] is { Length: > 0 } database
                ? database
                : Missing("COSMOS_DATABASE", "the name of the database, e.g. nodestash"),
            Queues = Connection.Read(settings, JobQueue.Connection, "queueServiceUri", "https://<account>.queue.core.windows.net/", errors),
            Search = SearchAccess.Read(settings, errors),
            SealingKey = Key(settings["SEALING_KEY"]),
            ClientId = settings["AZURE_CLIENT_ID"],
            OperatorSecret = settings[Core.Access.OperatorSecret.Setting],
            WebhookConcurrency = WebhookOptions.ReadConcurrency(settings[WebhookOptions.ConcurrencySetting], out var concurrencyFault),
        };
        read = read with { CreatesDatabase = Creates(settings[CreateSetting], read.Cosmos) };
        if (concurrencyFault is not null) errors.Add(concurrencyFault);
        if (Core.Access.OperatorSecret.Check(read.OperatorSecret) is { } problem) errors.Add(problem);
        return errors.Count == 0 ? read : throw new SettingsException(errors);

        string Missing(string name, string what)
        {
            errors.Add($"{name} is missing: {what}");
            return "";
        }

        bool Creates(string? text, Connection cosmos)
        {
            if (string.IsNullOrEmpty(text)) return false;
            if (!bool.TryParse(text, out var creates)) errors.Add($"{CreateSetting} will not do: expected true, or nothing");
            else if (creates && cosmos.Endpoint is not null)
                errors.Add($"{CreateSetting} is for emulators alone: remove it, infra/bicep makes the database of an account in Azure");
            return creates;
        }

        byte[] Key(string? text)
        {
            const string Expected = "32 random bytes in Base64, e.g. of `openssl rand -base64 32`";
            var key = new byte[SecretBox.KeyBytes];
            if (string.IsNullOrEmpty(text)) Missing("SEALING_KEY", Expected);
            else if (!Convert.TryFromBase64String(text, new byte[text.Length], out var length) || length != key.Length)
                errors.Add($"SEALING_KEY will not do: expected {Expected}");
            else key = Convert.FromBase64String(text);
            return key;
        }
    }
}

/// <summary>Where a service is. One of the two is given.</summary>
/// <param name="Endpoint">Its address, where the app's identity has a role.</param>
/// <param name="Text">The connection string of an emulator, with the key that everybody knows.</param>
public readonly record struct Connection(Uri? Endpoint, string? Text)
{
    /// <param name="settings">The app settings.</param>
    /// <param name="name">The connection, as triggers name it.</param>
    /// <param name="member">The setting with the address, after <c>name__</c>.</param>
    /// <param name="form">What the address looks like.</param>
    /// <param name="errors">Added to.</param>
    internal static Connection Read(IConfiguration settings, string name, string member, string form, List<string> errors)
    {
        var (text, address) = (settings[name], settings[$"{name}:{member}"]);
        if (!string.IsNullOrEmpty(text))
        {
            // Keys are for what has no identities: in Azure accounts are made without.
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

/// <summary>Where the search server is.</summary>
/// <param name="Url">Its address.</param>
/// <param name="Key">Of its API.</param>
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

/// <summary>The app can't start with these settings.</summary>
/// <param name="errors">Each begins with the name of the setting and says what is expected.</param>
public sealed class SettingsException(
    IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors.Prepend("The app settings will not do:")))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
