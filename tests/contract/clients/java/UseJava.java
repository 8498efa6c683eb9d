// A program with the Java client of OpenAPI Generator. It prints what it saw.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.ConcernsApi;
import org.openapitools.client.api.EventsApi;
import org.openapitools.client.api.GuidesApi;
import org.openapitools.client.model.Concern;
import org.openapitools.client.model.GuideSummary;
import org.openapitools.client.model.Problem;

public class UseJava {
  private static final int ATTEMPTS = 5; // more than the limit of the test
  private static final ObjectMapper JSON = ApiClient.createDefaultObjectMapper();

  public static void main(String[] given) throws Exception {
    ApiClient open = client(given[0]);
    EventsApi events =
        new EventsApi(client(given[0]).setRequestInterceptor(each -> each.header("Authorization", "Bearer " + given[1])));
    ConcernsApi concerns = new ConcernsApi(open);
    JsonNode examples = JSON.readTree(Path.of(given[3]).toFile());
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("guides", guides(new GuidesApi(open)));
    report.put("sections", sections(new GuidesApi(open), given[2]));
    List<String> raised = new ArrayList<>();
    for (JsonNode example : examples) {
      raised.add(concerns.raiseConcern(JSON.treeToValue(example, Concern.class), null, null).getReference());
    }
    report.put("raised", raised);
    report.put("faults", faults(concerns, JSON.treeToValue(examples.get("smallest"), Concern.class)));
    report.put(
        "events",
        events.readEvents(null, null, 200).getEvents().stream()
            .map(each -> List.of(each.getType(), each.getData().getOrDefault("reference", "")))
            .toList());
    report.put("too_many", tooMany(events));
    System.out.println(JSON.writeValueAsString(report));
  }

  private static ApiClient client(String service) {
    ApiClient client = new ApiClient();
    client.updateBaseUri(service);
    return client;
  }

  private static Map<String, Boolean> guides(GuidesApi api) throws ApiException {
    Map<String, Boolean> sourced = new TreeMap<>();
    for (GuideSummary each : api.listGuides(null, null, null).getGuides()) {
      sourced.put(each.getGuide(), api.readGuide(each.getGuide(), null, null, null).getSource() != null);
    }
    return sourced;
  }

  private static Map<String, List<String>> sections(GuidesApi api, String guide) throws ApiException {
    Map<String, List<String>> ids = new LinkedHashMap<>();
    ids.put("definitions", api.readDefinitions(guide).getDefinitions().stream().map(each -> each.getId()).toList());
    ids.put("factors", api.readFactors(guide).getFactors().stream().map(each -> each.getId()).toList());
    ids.put("indicators", api.readIndicators(guide).getIndicators().stream().map(each -> each.getId()).toList());
    ids.put("linked_risks", api.readLinkedRisks(guide).getLinkedRisks().stream().map(each -> each.getId()).toList());
    ids.put(
        "responsibilities",
        api.readResponsibilities(guide).getResponsibilities().stream().map(each -> each.getId()).toList());
    ids.put("contacts", api.readContacts(guide).getContacts().stream().map(each -> each.getId()).toList());
    return ids;
  }

  private static List<String> faults(ConcernsApi api, Concern concern) throws Exception {
    try {
      api.raiseConcern(concern.guide("no-such-guide"), null, null);
    } catch (ApiException refused) {
      Problem problem = JSON.readValue(refused.getResponseBody(), Problem.class);
      return problem.getErrors().stream().map(each -> each.getPointer() + " " + each.getCode()).toList();
    }
    throw new IllegalStateException("This must be refused.");
  }

  private static List<Object> tooMany(EventsApi api) throws Exception {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        api.readEvents(null, null, null);
      } catch (ApiException refused) {
        int seconds = Integer.parseInt(refused.getResponseHeaders().firstValue("Retry-After").orElseThrow());
        return List.of(seconds, JSON.readValue(refused.getResponseBody(), Problem.class).getType());
      }
    }
    throw new IllegalStateException("There must be a limit.");
  }
}
