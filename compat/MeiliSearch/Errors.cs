using System.Net;

namespace Meilisearch;

/// <summary>The server refused.</summary>
public class MeilisearchApiError : Exception
{
    public MeilisearchApiError(MeilisearchApiErrorContent apiError)
        : base($"MeilisearchApiError, Message: {apiError.Message}, Code: {apiError.Code}, Type: {apiError.Type}, Link: {apiError.Link}") =>
            Code = apiError.Code;

    public MeilisearchApiError(HttpStatusCode statusCode, string? reasonPhrase)
        : base($"MeilisearchApiError, Message: {reasonPhrase}, Code: {(int)statusCode}") =>
            Code = ((int)statusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);

    public string Code { get; set; }
}

public class MeilisearchApiErrorContent(string message, string code, string type, string link)
{
    public string Message { get; } = message;

    public string Code { get; } = code;

    public string Type { get; } = type;

    public string Link { get; } = link;
}

/// <summary>The server was not reached.</summary>
public class MeilisearchCommunicationError(string message, Exception innerException) : Exception(message, innerException);

/// <summary>A task did not come to its end in time.</summary>
public class MeilisearchTimeoutError(string message) : Exception(message);
