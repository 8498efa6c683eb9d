// A program with the C# client of OpenAPI Generator. It prints what it saw.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Org.OpenAPITools;
using Org.OpenAPITools.Api;
using Org.OpenAPITools.Client;
using Org.OpenAPITools.Model;

/// <summary>No token: the client asks for one even where none is needed.</summary>
public class Anonymous : BearerToken
{
    public Anonymous() : base("") { }

    public override void UseInHeader(HttpRequestMessage request, string headerName) { }
}

public class OneToken : TokenProvider<BearerToken>
{
    private readonly BearerToken _token;

    public OneToken(BearerToken token) { _token = token; }

    protected internal override ValueTask<BearerToken> GetAsync(string header = "", CancellationToken cancellation = default)
    {
        return new ValueTask<BearerToken>(_token);
    }
}

public static class UseCsharp
{
    private const int Attempts = 5; // more than the limit of the test
    private static readonly byte[] KeyInfo = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
    private static readonly JsonSerializerOptions Json = WithEveryConverter();
    private static readonly JsonSerializerOptionsProvider Options = new JsonSerializerOptionsProvider(Json);
    private static HttpClient http;

    public static void Main(string[] given) { Report(given).GetAwaiter().GetResult(); }

    private static async Task Report(string[] given)
    {
        http = new HttpClient(new HttpClientHandler { UseProxy = false }) { BaseAddress = new Uri(given[0]) };
        GuidesApi guides = new GuidesApi(NullLogger<GuidesApi>.Instance, http, Options, new GuidesApiEvents(), As(new Anonymous()));
        EventsApi events = new EventsApi(NullLogger<EventsApi>.Instance, http, Options, new EventsApiEvents(), As(new BearerToken(given[1])));
        ConcernsApi concerns = new ConcernsApi(NullLogger<ConcernsApi>.Instance, http, Options, new ConcernsApiEvents(), As(new Anonymous()));
        ReferenceApi reference = new ReferenceApi(NullLogger<ReferenceApi>.Instance, http, Options, new ReferenceApiEvents(), As(new Anonymous()));
        JsonElement examples = JsonDocument.Parse(File.ReadAllText(given[3])).RootElement;

        List<Receipt> receipts = new List<Receipt>();
        foreach (JsonProperty example in examples.EnumerateObject())
            receipts.Add((await concerns.RaiseConcernAsync(Parsed(example.Value))).Created());
        JsonWebKeySet keys = (await reference.ReadReceiptKeysAsync()).Ok();
        List<string> followed = new List<string>();
        foreach (Receipt each in receipts) followed.Add(await Follow(each));
        List<EventResponse> told = (await events.ReadEventsAsync(limit: 200)).Ok().Events;

        Dictionary<string, object> report = new Dictionary<string, object>
        {
            ["guides"] = await Guides(guides),
            ["sections"] = await Sections(guides, given[2]),
            ["raised"] = receipts.Select(each => each.Reference).ToList(),
            ["followed"] = followed,
            ["verified"] = Signed(receipts).Select(each => Verified(each, keys)).ToList(),
            ["faults"] = await Faults(concerns, Parsed(examples.GetProperty("smallest"))),
            ["events"] = told.Select(each => new[] { each.Type, ReferenceOf(each) }).ToList(),
            ["too_many"] = await TooMany(events),
        };
        Console.WriteLine(JsonSerializer.Serialize(report));
    }

    private static OneToken As(BearerToken token) { return new OneToken(token); }

    private static Concern Parsed(JsonElement example) { return JsonSerializer.Deserialize<Concern>(example.GetRawText(), Json); }

    private static string ReferenceOf(EventResponse told)
    {
        return told.Data.TryGetValue("reference", out object value) ? value.ToString() : "";
    }

    private static JsonSerializerOptions WithEveryConverter()
    {
        JsonSerializerOptions options = new JsonSerializerOptions();
        IEnumerable<Type> converters = typeof(Concern).Assembly.GetTypes().Where(each =>
            typeof(JsonConverter).IsAssignableFrom(each) && !each.IsAbstract && each.GetConstructor(Type.EmptyTypes) != null);
        foreach (Type each in converters) options.Converters.Add((JsonConverter)Activator.CreateInstance(each));
        return options;
    }

    private static async Task<Dictionary<string, bool>> Guides(GuidesApi api)
    {
        Dictionary<string, bool> sourced = new Dictionary<string, bool>();
        foreach (GuideSummary each in (await api.ListGuidesAsync()).Ok().Guides)
            sourced[each.Guide] = (await api.ReadGuideAsync(each.Guide)).Ok().Source != null;
        return sourced;
    }

    private static async Task<Dictionary<string, List<string>>> Sections(GuidesApi api, string guide)
    {
        return new Dictionary<string, List<string>>
        {
            ["definitions"] = (await api.ReadDefinitionsAsync(guide)).Ok().Definitions.Select(each => each.Id).ToList(),
            ["factors"] = (await api.ReadFactorsAsync(guide)).Ok().Factors.Select(each => each.Id).ToList(),
            ["indicators"] = (await api.ReadIndicatorsAsync(guide)).Ok().Indicators.Select(each => each.Id).ToList(),
            ["linked_risks"] = (await api.ReadLinkedRisksAsync(guide)).Ok().LinkedRisks.Select(each => each.Id).ToList(),
            ["responsibilities"] =
                (await api.ReadResponsibilitiesAsync(guide)).Ok().Responsibilities.Select(each => each.Id).ToList(),
            ["contacts"] = (await api.ReadContactsAsync(guide)).Ok().Contacts.Select(each => each.Id).ToList(),
        };
    }

    private static async Task<string> Follow(Receipt receipt)
    {
        FollowUpApi api = new FollowUpApi(
            NullLogger<FollowUpApi>.Instance, http, Options, new FollowUpApiEvents(), As(new BearerToken(receipt.StatusToken)));
        return (await api.ReadConcernStatusAsync(receipt.Reference)).Ok().State;
    }

    /// <summary>Returns the signed receipts, and one with the signature of another.</summary>
    private static IEnumerable<string> Signed(List<Receipt> receipts)
    {
        List<string> signed = receipts.Select(each => each.VarReceipt).ToList();
        string forged = signed[0].Substring(0, signed[0].LastIndexOf('.')) + signed[1].Substring(signed[1].LastIndexOf('.'));
        return signed.Append(forged);
    }

    /// <summary>Returns whose receipt it is, or null if its signature is wrong. .NET has no Ed25519: OpenSSL verifies.</summary>
    private static string Verified(string receipt, JsonWebKeySet keys)
    {
        string[] parts = receipt.Split('.');
        string kid = JsonDocument.Parse(Decoded(parts[0])).RootElement.GetProperty("kid").GetString();
        string key = keys.Keys.Single(each => each["kid"] == kid)["x"];
        File.WriteAllBytes("key.der", KeyInfo.Concat(Decoded(key)).ToArray());
        File.WriteAllText("signed", parts[0] + "." + parts[1]);
        File.WriteAllBytes("signature", Decoded(parts[2]));
        ProcessStartInfo openssl = new ProcessStartInfo(
            "openssl", "pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in signed -sigfile signature")
            { RedirectStandardOutput = true, RedirectStandardError = true };
        using (Process process = Process.Start(openssl))
        {
            process.WaitForExit();
            return process.ExitCode == 0 ? JsonDocument.Parse(Decoded(parts[1])).RootElement.GetProperty("jti").GetString() : null;
        }
    }

    private static byte[] Decoded(string text)
    {
        string whole = text.Replace('-', '+').Replace('_', '/');
        return Convert.FromBase64String(whole.PadRight((whole.Length + 3) / 4 * 4, '='));
    }

    private static async Task<List<string>> Faults(ConcernsApi api, Concern concern)
    {
        concern.Guide = "no-such-guide";
        Problem problem = (await api.RaiseConcernAsync(concern)).UnprocessableContent();
        return problem.Errors.Select(each => each.Pointer + " " + each.Code).ToList();
    }

    private static async Task<List<object>> TooMany(EventsApi api)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            IReadEventsApiResponse answer = await api.ReadEventsAsync();
            if ((int)answer.StatusCode == 429)
                return new List<object> { int.Parse(answer.Headers.GetValues("Retry-After").Single()), answer.TooManyRequests().Type };
        }
        throw new InvalidOperationException("There must be a limit.");
    }
}
